import assert from 'node:assert';
import type { Recipient } from '../domain/delivery.ts';
import type { LeasedChunk } from '../store/chunks.ts';

/** Whom a chunk has still to offer its notification to, in order; some come back. */
export class RecipientQueue {
  readonly #recipients: readonly Recipient[];
  readonly #gatedBefore: number;
  #taken = 0;
  #returned: Recipient[] = [];
  #doubtful: ReadonlySet<string> | null = null;

  constructor({ installationRefs, userRefs, gatedThrough }: LeasedChunk) {
    assert(installationRefs.length === userRefs.length, 'a resolved chunk has parallel arrays');
    this.#recipients = installationRefs.map((installationRef, index) => ({
      installationRef,
      userRef: userRefs[index] ?? 0,
    }));
    this.#gatedBefore = gatedThrough;
  }

  get size(): number {
    return this.#returned.length + this.#recipients.length - this.#taken;
  }

  /** How many of the chunk's deliveries were taken at least once: its write-ahead mark. */
  get through(): number {
    return this.#taken;
  }

  take(count: number): readonly Recipient[] {
    const again = this.#returned.splice(0, count);
    const first = this.#recipients.slice(this.#taken, this.#taken + count - again.length);
    this.#taken += first.length;
    return [...again, ...first];
  }

  /** What did not start comes again, before anything else. */
  putBack(recipients: readonly Recipient[]): void {
    this.#returned.push(...recipients);
  }

  /** A predecessor had checked it and died: it may have been sent, and nobody can tell. */
  mayHaveBeenSent(recipient: Recipient): boolean {
    if (this.#gatedBefore === 0) return false;
    this.#doubtful ??= new Set(this.#recipients.slice(0, this.#gatedBefore).map(keyOf));
    return this.#doubtful.has(keyOf(recipient));
  }
}

function keyOf({ installationRef, userRef }: Recipient): string {
  return `${installationRef}/${userRef}`;
}
