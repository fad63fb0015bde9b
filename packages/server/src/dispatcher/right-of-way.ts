import { setTimeout } from 'node:timers/promises';
import { LIMITS } from '../domain/limits.ts';

/** At most so often is the pause changed: what was changed last has to show first. */
const STEP_MS = 50;
/** After so long without anything slow the pause is halved. */
const CALM_MS = 500;
const LEAST_PAUSE_MS = 25;

/**
 * Keeps bulk from being in the way where processors are scarce: places of its own are of no use to
 * something transactional that waits for a processor. As long as its ownership checks are slow, or
 * this worker comes late to it, the slices of bulk come further and further apart, up to a limit,
 * and then closer again. Both wait for nothing but the database and this process, so that no
 * provider, pace or rate that is slow makes bulk so. ADR 0004 has what came of it.
 *
 * Times are milliseconds of `performance.now()`.
 */
export class RightOfWay {
  #pauseMs = 0;
  #changedAt = 0;

  /** How long a slice of bulk waits now. */
  pauseMs(now: number): number {
    if (this.#pauseMs > 0 && now - this.#changedAt >= CALM_MS) {
      this.#change(this.#pauseMs > LEAST_PAUSE_MS ? this.#pauseMs / 2 : 0, now);
    }
    return this.#pauseMs;
  }

  /** The ownership of something transactional was checked, which took so long. */
  checked(tookMs: number, now = performance.now()): void {
    if (tookMs > LIMITS.gateSlowMs) this.#step(now);
  }

  /** Something transactional was leased, which nothing but this worker was late for. */
  leased(unheldMs: number, now = performance.now()): void {
    if (unheldMs > LIMITS.leaseSlowMs) this.#step(now);
  }

  #step(now: number): void {
    if (this.#pauseMs > 0 && now - this.#changedAt < STEP_MS) return;
    this.#change(Math.min(Math.max(2 * this.#pauseMs, LEAST_PAUSE_MS), LIMITS.bulkPauseMs), now);
  }

  /** Returns at once where nothing is slow, or the signal aborts. */
  async pause(signal: AbortSignal): Promise<void> {
    const ms = this.pauseMs(performance.now());
    if (ms === 0) return;
    // What is thrown is that it was aborted.
    await setTimeout(ms, undefined, { signal }).catch(() => undefined);
  }

  #change(pauseMs: number, now: number): void {
    this.#pauseMs = pauseMs;
    this.#changedAt = now;
  }
}
