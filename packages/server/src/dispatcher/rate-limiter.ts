import { LIMITS } from '../domain/limits.ts';
import type { Lane as LaneName } from '../domain/notification.ts';
import type { RateBucket } from '../domain/rate.ts';
import { lowerRate, takeTokens } from '../store/rate-buckets.ts';
import type { Database } from '../store/sql.ts';
import { WakeUp } from './wake-up.ts';

interface Waiter {
  readonly lane: LaneName;
  readonly want: number;
  readonly untilMs: number;
  readonly resolve: (granted: number) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * This worker's hand in a bucket that all workers share. Whoever wants tokens waits in line,
 * transactional before bulk, and one statement at a time asks for all of them.
 */
export class RateLimiter {
  readonly bucket: RateBucket;
  readonly #db: Database;
  readonly #wakeUp = new WakeUp();
  #line: Waiter[] = [];
  #isServing = false;
  /** What was given back, and until when it may be used. */
  #spare = { tokens: 0, untilMs: 0 };

  constructor(db: Database, bucket: RateBucket) {
    this.#db = db;
    this.bucket = bucket;
  }

  get isIdle(): boolean {
    return this.#line.length === 0 && !this.#isServing;
  }

  /** Tokens for at most `want` pushes; 0 when there were none for `patienceMs`. */
  take(lane: LaneName, want: number, patienceMs: number): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const waiter = { lane, want, untilMs: performance.now() + patienceMs, resolve, reject };
    const behind = this.#line.findIndex((other) => other.lane === 'bulk');
    const place = lane === 'bulk' || behind < 0 ? this.#line.length : behind;
    this.#line.splice(place, 0, waiter);
    this.#wakeUp.ring();
    if (!this.#isServing) void this.#serve();
    return promise;
  }

  /** What was not needed after all serves the next one, if that comes within a moment. */
  giveBack(tokens: number): void {
    if (tokens <= 0) return;
    const untilMs = performance.now() + LIMITS.rateBurstMs;
    this.#spare = { tokens: this.#spareTokens() + tokens, untilMs };
    this.#wakeUp.ring();
  }

  /** The provider finds it too much. */
  async lower(): Promise<void> {
    this.#spare = { tokens: 0, untilMs: 0 };
    await lowerRate(this.#db, this.bucket);
  }

  #spareTokens(): number {
    return this.#spare.untilMs > performance.now() ? this.#spare.tokens : 0;
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    try {
      while (this.#line.length > 0) await this.#serveOnce();
    } catch (error) {
      for (const waiter of this.#line.splice(0)) waiter.reject(error);
    } finally {
      this.#isServing = false;
    }
  }

  async #serveOnce(): Promise<void> {
    this.#dismiss();
    const spare = this.#spareTokens();
    if (spare > 0) {
      this.#spare = { ...this.#spare, tokens: 0 };
      this.giveBack(this.#hand(spare));
      return;
    }
    const want = this.#line.reduce((sum, waiter) => sum + waiter.want, 0);
    if (want === 0) return;
    const { perSecond } = this.bucket.rate;
    const least = Math.max(1, Math.min(want, Math.floor((perSecond * STEP_MS) / 1000)));
    const ahead = Math.max(want, Math.floor((perSecond * AHEAD_MS) / 1000));
    const { granted, waitMs } = await takeTokens(this.#db, this.bucket, ahead, least);
    this.giveBack(this.#hand(granted));
    if (granted > 0) return;
    const patienceMs = Math.min(...this.#line.map((waiter) => waiter.untilMs)) - performance.now();
    await this.#wakeUp.wait(Math.max(1, Math.min(waitMs, patienceMs)), NEVER);
  }

  /** Hands tokens out in the order of the line; returns what nobody wants. */
  #hand(tokens: number): number {
    let left = tokens;
    while (left > 0) {
      const waiter = this.#line.shift();
      if (waiter === undefined) break;
      const granted = Math.min(left, waiter.want);
      left -= granted;
      waiter.resolve(granted);
    }
    return left;
  }

  #dismiss(): void {
    const now = performance.now();
    for (const waiter of this.#line) if (waiter.untilMs <= now) waiter.resolve(0);
    this.#line = this.#line.filter((waiter) => waiter.untilMs > now);
  }
}

/** Tokens are fetched for at least so long at a time: ten statements a second for each bucket. */
const STEP_MS = 100;
/**
 * Of a high rate a hundredth of a second's worth is fetched at least, and kept for who comes next:
 * single pushes would ask the database each before they ask the gate.
 */
const AHEAD_MS = 10;
/** Nobody's patience is longer than a moment, so that a wait needs no other end. */
const NEVER = new AbortController().signal;
