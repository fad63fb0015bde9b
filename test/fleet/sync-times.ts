/** How long it took, in milliseconds, from a token's refresh until the server had it. */
export interface SyncSummary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** What the network was like: from the refresh to the acknowledgement. */
export type Conditions = 'calm' | 'faults';

/** The times from the system giving a running app another token to the server's acknowledgement. */
export class SyncTimes {
  readonly #times: Readonly<Record<Conditions, number[]>> = { calm: [], faults: [] };
  #interrupted = 0;

  add(conditions: Conditions, ms: number): void {
    this.#times[conditions].push(ms);
  }

  /**
   * The person came between: killed the app, switched the network off, said no to pushes, or the
   * system gave yet another token.
   */
  interrupt(): void {
    this.#interrupted += 1;
  }

  get interrupted(): number {
    return this.#interrupted;
  }

  summary(conditions: Conditions): SyncSummary {
    const sorted = this.#times[conditions].toSorted((a, b) => a - b);
    const quantile = (share: number): number =>
      Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN);
    return { count: sorted.length, p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) };
  }
}
