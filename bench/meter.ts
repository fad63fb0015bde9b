import { cpuSecondsOf, endedChildrenCpuSeconds, peakRssBytesOf } from './process-account.ts';
import type { Round } from './round.ts';

/** Whose processor time a round takes, by party. */
export interface MeteredParties {
  /** Processes that are there before the round begins, and stay. */
  readonly pids: Readonly<Record<string, number>>;
  /** The party of what is started and has ended within the round; null when nothing is. */
  readonly ended: string | null;
  /** The one of the processes whose memory is told; null when that is of no interest. */
  readonly peakOf: string | null;
}

/** Takes the processor time of all parties from its making to the end of a round. */
export class Meter {
  readonly #parties: MeteredParties;
  readonly #before: Readonly<Record<string, number>>;

  constructor(parties: MeteredParties) {
    this.#parties = parties;
    this.#before = this.#now();
  }

  /** What was done since, so many operations in so many seconds of the load's own clock. */
  round(operations: number, seconds: number): Round {
    const cpuSeconds = Object.fromEntries(
      Object.entries(this.#now()).map(([party, now]) => [party, now - (this.#before[party] ?? 0)]),
    );
    const { pids, peakOf } = this.#parties;
    const pid = peakOf === null ? undefined : pids[peakOf];
    const peakRssBytes = pid === undefined ? null : peakRssBytesOf(pid);
    return { operations, seconds, cpuSeconds, peakRssBytes };
  }

  #now(): Readonly<Record<string, number>> {
    const { pids, ended } = this.#parties;
    const staying = Object.entries(pids).map(([party, pid]) => [party, cpuSecondsOf(pid)] as const);
    return {
      ...Object.fromEntries(staying),
      ...(ended === null ? {} : { [ended]: endedChildrenCpuSeconds() }),
    };
  }
}
