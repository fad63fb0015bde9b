import type { Rate, RateBucket } from '../domain/rate.ts';
import type { Database } from '../store/sql.ts';
import { RateLimiter } from './rate-limiter.ts';

/** Above this many, those that nobody waits for are forgotten; their buckets are not. */
const KEPT = 1_000;

/** The rate limiters of this worker, one for each bucket. */
export class RateLimiters {
  readonly #db: Database;
  readonly #limiters = new Map<string, RateLimiter>();

  constructor(db: Database) {
    this.#db = db;
  }

  of(bucket: RateBucket): RateLimiter {
    const known = this.#limiters.get(bucket.name);
    if (known !== undefined && isSameRate(known.bucket.rate, bucket.rate)) return known;
    if (this.#limiters.size >= KEPT) this.#forget();
    const limiter = new RateLimiter(this.#db, bucket);
    this.#limiters.set(bucket.name, limiter);
    return limiter;
  }

  #forget(): void {
    for (const [name, limiter] of this.#limiters) {
      if (limiter.isIdle) this.#limiters.delete(name);
    }
  }
}

/** Who asks with another rate than before gets a limiter of it; the bucket stays the same. */
function isSameRate(a: Rate, b: Rate): boolean {
  return a.perSecond === b.perSecond && a.rampSeconds === b.rampSeconds;
}
