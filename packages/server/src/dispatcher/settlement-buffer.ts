import { LIMITS } from '../domain/limits.ts';
import type { Settlement } from '../domain/settlement.ts';

/** Writes settlements; `open` when the chunk has more to come. */
export type WriteSettlements = (
  settlements: readonly Settlement[],
) => Promise<'open' | 'completed' | 'lost'>;

/**
 * Outcomes on their way to the ledger: written every 200 ms or 500 outcomes, one write after the
 * other. What is not written is what a crash can make us repeat.
 */
export class SettlementBuffer {
  readonly #write: WriteSettlements;
  #unwritten: Settlement[] = [];
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | null = null;
  #failure: { readonly error: unknown } | null = null;
  #end: 'completed' | 'lost' | null = null;

  constructor(write: WriteSettlements) {
    this.#write = write;
  }

  /** Null while more can be written. */
  get end(): 'completed' | 'lost' | null {
    return this.#end;
  }

  /** A failed write is thrown by `flush`; whoever goes on sending looks here first. */
  get hasFailed(): boolean {
    return this.#failure !== null;
  }

  /** Somebody else holds the chunk: whatever is not written yet is theirs to find out. */
  lose(): void {
    this.#end = 'lost';
  }

  add(settlement: Settlement): void {
    this.#unwritten.push(settlement);
    if (this.#unwritten.length >= LIMITS.settleOutcomes) this.#writeSoon();
    else this.#timer ??= setTimeout(() => this.#writeSoon(), LIMITS.settleMs);
  }

  /** Writes what there is; throws what kept a write from being done, this one or an earlier one. */
  async flush(): Promise<void> {
    this.#writeSoon();
    await this.#writing;
    if (this.#failure !== null) throw this.#failure.error;
  }

  #writeSoon(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#writing = this.#writing.then(() => this.#writeNow());
  }

  async #writeNow(): Promise<void> {
    const settlements = this.#unwritten;
    if (settlements.length === 0 || this.#end !== null || this.#failure !== null) return;
    this.#unwritten = [];
    try {
      const chunk = await this.#write(settlements);
      if (chunk !== 'open') this.#end = chunk;
    } catch (error) {
      this.#failure = { error };
    }
  }
}
