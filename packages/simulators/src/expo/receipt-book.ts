import type { ExpoItem } from './answers.ts';

interface Entry {
  readonly atMs: number;
  readonly item: ExpoItem;
}

const KEPT_MS = 24 * 60 * 60_000;
const MAX_RECEIPTS = 1_000_000;

/** The receipts of a day: each can be had some time after its push, and is forgotten after that. */
export class ReceiptBook {
  readonly #clock: () => number;
  // In the order of their pushes.
  readonly #entries = new Map<string, Entry>();

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  add(id: string, item: ExpoItem): void {
    const atMs = this.#clock();
    this.#entries.set(id, { atMs, item });
    for (const [oldest, entry] of this.#entries) {
      if (entry.atMs > atMs - KEPT_MS && this.#entries.size <= MAX_RECEIPTS) return;
      this.#entries.delete(oldest);
    }
  }

  /** Those of some ids that can be had; whoever asks cannot tell too early from too late. */
  read(ids: readonly string[], delayMs: number): Readonly<Record<string, ExpoItem>> {
    const nowMs = this.#clock();
    const found = ids.flatMap((id) => {
      const entry = this.#entries.get(id);
      if (entry === undefined) return [];
      const ageMs = nowMs - entry.atMs;
      return ageMs >= delayMs && ageMs < KEPT_MS ? [[id, entry.item] as const] : [];
    });
    return Object.fromEntries(found);
  }
}
