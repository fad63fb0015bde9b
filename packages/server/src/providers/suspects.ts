/** As many as a few slices of several credentials; whoever is forgotten is only found anew. */
const MOST = 10_000;

/**
 * Tokens among which one had a whole request refused, by the part of it that each was put into. It
 * outlives the call that found them: where answers are slow, a part may not be sent in time, and
 * comes back later together with all others, which would be refused and divided in vain.
 */
export class Suspects {
  readonly #partOf = new Map<string, number>();
  #parts = 0;

  /** The part that a token is to be sent with; null for one that nothing is held against. */
  partOf(token: string): number | null {
    return this.#partOf.get(token) ?? null;
  }

  /** Has these tokens sent together from now on, and with no others. */
  suspect(tokens: readonly string[]): void {
    this.#parts += 1;
    for (const token of tokens) {
      // Last in the order of the map, and so the last to be forgotten.
      this.#partOf.delete(token);
      this.#partOf.set(token, this.#parts);
    }
    for (const token of this.#partOf.keys()) {
      if (this.#partOf.size <= MOST) break;
      this.#partOf.delete(token);
    }
  }

  /** Forgets a token of which it is known by now what is the matter with it. */
  clear(token: string): void {
    this.#partOf.delete(token);
  }
}
