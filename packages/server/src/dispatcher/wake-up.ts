/**
 * A wait that can be cut short. A ring that comes while nobody waits ends the next wait at once.
 */
export class WakeUp {
  #isRung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** Resolves after the time, at a ring, or when the signal aborts, whichever comes first. */
  async wait(timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
        signal.addEventListener('abort', this.#wake, { once: true });
      });
      if (this.#wake !== null) signal.removeEventListener('abort', this.#wake);
    }
    this.#wake = null;
    this.#isRung = false;
  }
}
