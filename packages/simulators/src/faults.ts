import { matches } from './fault.ts';
import type { Fault, Match, Target } from './fault.ts';
import { Hold } from './hold.ts';
import type { HoldPoint } from './hold.ts';

export interface ScheduledFault {
  /** How many matching requests suffer it; Infinity until the schedule is cleared. */
  readonly times: number;
  /** Only each so many-th of the matching requests is meant, counted from the first; default 1. */
  readonly every?: number;
  readonly match?: Match;
  readonly fault: Fault;
}

interface Appointment {
  readonly match: Match;
  readonly fault: Fault;
  readonly every: number;
  remaining: number;
  /** Matching requests to come, the one that suffers the fault included. */
  untilNext: number;
}

/** The faults that a simulator has been told to commit, first scheduled first served. */
export class Faults {
  #appointments: Appointment[] = [];
  readonly #holds = new Set<Hold>();

  schedule({ times, every = 1, match = {}, fault }: ScheduledFault): void {
    if (times <= 0) return;
    this.#appointments.push({ match, fault, every, remaining: times, untilNext: every });
  }

  /** Makes matching requests wait until the returned gate is released. */
  hold(match: Match = {}, point: HoldPoint = 'arrival'): Hold {
    const hold = new Hold(match, point, (released) => this.#holds.delete(released));
    this.#holds.add(hold);
    return hold;
  }

  /**
   * Uses up one turn of the first matching fault; null when nothing is meant for the request. One
   * that a fault lets pass is not offered to those scheduled after it.
   */
  take(target: Target): Fault | null {
    const appointment = this.#appointments.find(({ match }) => matches(match, target));
    if (appointment === undefined) return null;
    appointment.untilNext -= 1;
    if (appointment.untilNext > 0) return null;
    appointment.untilNext = appointment.every;
    appointment.remaining -= 1;
    if (appointment.remaining <= 0) {
      this.#appointments = this.#appointments.filter((other) => other !== appointment);
    }
    return appointment.fault;
  }

  /** Waits at every gate that stands at this point for this request; most often there is none. */
  async pass(target: Target, point: HoldPoint): Promise<void> {
    for (const hold of this.#holds) {
      if (hold.point === point && matches(hold.match, target)) await hold.pass();
    }
  }

  /** Whether any gate stands at all: lets the usual request skip an asynchronous turn. */
  get isHolding(): boolean {
    return this.#holds.size > 0;
  }

  /** What is still to come, in order. */
  get pending(): readonly ScheduledFault[] {
    return this.#appointments.map(({ match, fault, every, remaining }) => ({
      times: remaining,
      every,
      match,
      fault,
    }));
  }

  /** Forgets the schedule and opens every gate. */
  clear(): void {
    this.#appointments = [];
    for (const hold of this.#holds) hold.release();
  }
}
