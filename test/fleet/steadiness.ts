/**
 * Since when the server knows what an app wants: from then on no message for its user may be lost.
 * All times are on the clock of `performance`.
 */
export class Steadiness {
  #changedAtMs = performance.now();
  #sinceMs: number | null = null;

  /** The app wants something else, or the system gave it something else. */
  change(): void {
    this.#changedAtMs = performance.now();
    this.#sinceMs = null;
  }

  /** The server acknowledged what is wanted; what was sent before the last change says nothing. */
  confirm(sentAtMs: number): void {
    if (sentAtMs > this.#changedAtMs) this.#sinceMs ??= performance.now();
  }

  /** Whether nothing has changed since the server knew, and it knew at that time. */
  covers(atMs: number): boolean {
    return this.#sinceMs !== null && this.#sinceMs < atMs;
  }
}
