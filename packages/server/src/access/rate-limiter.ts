/** Lets bursts through and holds a steady pace after them. */
export interface RateLimiter {
  /** 0 when the call may go on, otherwise the seconds to wait, rounded up. */
  take(name: string, now: Date): number;
}

export interface RateLimit {
  readonly burst: number;
  readonly perMinute: number;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Names that are remembered at most: some ten megabytes. */
const CAPACITY = 100_000;

/**
 * Token buckets by name, in this process. A forgotten bucket is a full one, so that only the one
 * that was not asked for the longest time is forgotten when there are too many.
 */
export function createRateLimiter(limit: RateLimit, capacity = CAPACITY): RateLimiter {
  const buckets = new Map<string, Bucket>();
  const perMs = limit.perMinute / 60_000;
  return {
    take(name, now) {
      const at = now.getTime();
      const bucket = buckets.get(name) ?? { tokens: limit.burst, at };
      bucket.tokens = Math.min(limit.burst, bucket.tokens + Math.max(0, at - bucket.at) * perMs);
      bucket.at = at;
      // A map keeps the order in which names were set: the first is the oldest.
      buckets.delete(name);
      buckets.set(name, bucket);
      if (buckets.size > capacity) {
        const [oldest = name] = buckets.keys();
        buckets.delete(oldest);
      }
      if (bucket.tokens < 1) return Math.ceil((1 - bucket.tokens) / perMs / 1_000);
      bucket.tokens -= 1;
      return 0;
    },
  };
}
