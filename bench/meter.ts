import { cpuSecondsOf, endedChildrenCpuSeconds, peakRssBytesOf } from './process-account.ts';
import type { Round } from './round.ts';

/** The parties of a round that are processes before it begins, and stay: ours and the database. */
export interface MeteredProcesses {
  readonly homing: number;
  readonly database: number;
}

/**
 * Takes the processor time of all parties from its making to the end of a round. The load is what
 * was started and has ended in between.
 */
export class Meter {
  readonly #pids: MeteredProcesses;
  readonly #before: Readonly<Record<string, number>>;

  constructor(pids: MeteredProcesses) {
    this.#pids = pids;
    this.#before = this.#now();
  }

  /** What was done since, so many operations in so many seconds of the load's own clock. */
  round(operations: number, seconds: number): Round {
    const cpuSeconds = Object.fromEntries(
      Object.entries(this.#now()).map(([party, now]) => [party, now - (this.#before[party] ?? 0)]),
    );
    return { operations, seconds, cpuSeconds, peakRssBytes: peakRssBytesOf(this.#pids.homing) };
  }

  #now(): Readonly<Record<string, number>> {
    return {
      homing: cpuSecondsOf(this.#pids.homing),
      database: cpuSecondsOf(this.#pids.database),
      load: endedChildrenCpuSeconds(),
    };
  }
}
