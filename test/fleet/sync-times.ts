/** How long it took, in milliseconds, from a token's refresh until the server had it. */
export interface SyncSummary {
  readonly count: number;
  /** Came to no end, because the person came between or the network changed. */
  readonly interrupted: number;
  /** Not a number where too many were interrupted to know. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** What the network was like: from the refresh to the acknowledgement. */
export type Conditions = 'calm' | 'faults';

interface Duration {
  readonly ms: number;
  readonly isInterrupted: boolean;
}

/** The times from the system giving a running app another token to the server's acknowledgement. */
export class SyncTimes {
  readonly #times: Readonly<Record<Conditions, Duration[]>> = { calm: [], faults: [] };

  add(conditions: Conditions, ms: number): void {
    this.#times[conditions].push({ ms, isInterrupted: false });
  }

  /**
   * The person killed the app, switched the network off or said no to pushes, the system gave yet
   * another token, or the network was not the same any more: it would have taken longer.
   */
  interrupt(conditions: Conditions, ms: number): void {
    this.#times[conditions].push({ ms, isInterrupted: true });
  }

  summary(conditions: Conditions): SyncSummary {
    const times = this.#times[conditions];
    const interrupted = times.filter(({ isInterrupted }) => isInterrupted).length;
    const count = times.length - interrupted;
    const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantile(times, share));
    return { count, interrupted, p50: p50 ?? NaN, p95: p95 ?? NaN, p99: p99 ?? NaN };
  }
}

/**
 * By Kaplan and Meier: the longer one takes, the sooner it is interrupted, so that those that came
 * to their end are too short. Whoever is interrupted counts among those that wait until then.
 */
function quantile(times: readonly Duration[], share: number): number {
  let waiting = 1;
  for (const [index, { ms, isInterrupted }] of times.toSorted((a, b) => a.ms - b.ms).entries()) {
    if (!isInterrupted) waiting *= 1 - 1 / (times.length - index);
    if (1 - waiting >= share) return Math.round(ms);
  }
  return NaN;
}
