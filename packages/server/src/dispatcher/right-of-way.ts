import { setTimeout } from 'node:timers/promises';
import { LIMITS } from '../domain/limits.ts';

/** At most so often is the spacing changed: what was changed last has to show first. */
const STEP_MS = 50;
/** After so long without anything slow the spacing is halved. */
const CALM_MS = 500;
const LEAST_SPACING_MS = 3;

/**
 * Keeps bulk from being in the way where processors are scarce: places of its own are of no use to
 * something transactional that waits for a processor. As long as its ownership checks are slow, the
 * slices of bulk, of all chunks together, come further and further apart, up to a limit, and then
 * closer again. A check waits for nothing but the database and this process, so that no provider,
 * pace or rate that is slow makes bulk so. ADR 0004 has what came of it.
 *
 * Times are milliseconds of `performance.now()`.
 */
export class RightOfWay {
  #spacingMs = 0;
  #changedAt = 0;
  /** When the next slice may go. */
  #nextAt = 0;

  /** How far the slices of bulk are apart now. */
  spacingMs(now: number): number {
    if (this.#spacingMs > 0 && now - this.#changedAt >= CALM_MS) {
      this.#change(this.#spacingMs > LEAST_SPACING_MS ? this.#spacingMs / 2 : 0, now);
    }
    return this.#spacingMs;
  }

  /** The ownership of something transactional was checked, which took so long. */
  checked(tookMs: number, now = performance.now()): void {
    if (tookMs <= LIMITS.gateSlowMs) return;
    if (this.#spacingMs > 0 && now - this.#changedAt < STEP_MS) return;
    const further = Math.max(2 * this.#spacingMs, LEAST_SPACING_MS);
    this.#change(Math.min(further, LIMITS.bulkSpacingMs), now);
  }

  /** How long a slice waits that comes now; the next one goes after it. */
  enter(now: number): number {
    const at = Math.max(now, this.#nextAt);
    this.#nextAt = at + this.spacingMs(now);
    return at - now;
  }

  /** Returns at once where nothing is slow, or the signal aborts. */
  async pause(signal: AbortSignal): Promise<void> {
    const ms = this.enter(performance.now());
    if (ms === 0) return;
    // What is thrown is that it was aborted.
    await setTimeout(ms, undefined, { signal }).catch(() => undefined);
  }

  #change(spacingMs: number, now: number): void {
    this.#spacingMs = spacingMs;
    this.#changedAt = now;
  }
}
