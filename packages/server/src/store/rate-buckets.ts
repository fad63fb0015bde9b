import { LIMITS } from '../domain/limits.ts';
import type { RateBucket } from '../domain/rate.ts';
import type { Database, Fragment } from './sql.ts';

export interface Grant {
  /** Pushes that may be sent; 0 when there was less than the least that was wanted. */
  readonly granted: number;
  /** When nothing was granted: how long until it will be, if nobody else takes it. */
  readonly waitMs: number;
}

/**
 * Takes up to `want` tokens from a bucket, or none where it holds fewer than `least`. One small
 * statement on the database's clock, which all workers share.
 *
 * The bucket holds what half a second brings. Its rate grows along a line from a tenth to the whole
 * within the ramp, and starts there anew when the bucket was not used for as long as the ramp.
 */
export async function takeTokens(
  db: Database,
  bucket: RateBucket,
  want: number,
  least: number,
): Promise<Grant> {
  for (;;) {
    const [grant] = await db<Grant[]>`
      with filled as (${filled(db, bucket)}), taken as (
        select *, case when tokens >= least then floor(least(tokens, ${want})) else 0 end as granted
        from (select *, least(${least}::float8, capacity) as least from filled) f
      )
      update rate_bucket b set tokens = t.tokens - t.granted, level = t.level, filled_at = t.at
      from taken t where b.name = t.name
      returning t.granted, case when t.granted > 0 then 0
        else (t.least - t.tokens) * 1000 / (${bucket.rate.perSecond} * t.level) end as "waitMs"`;
    if (grant !== undefined) return grant;
    await addBucket(db, bucket);
  }
}

/**
 * Halves the rate of a bucket with a ramp, which it then climbs again; once in a second, because
 * one refusal seldom comes alone. What it holds is forgotten.
 */
export async function lowerRate(db: Database, bucket: RateBucket): Promise<void> {
  if (bucket.rate.rampSeconds === 0) return;
  await db`
    with filled as (${filled(db, bucket)})
    update rate_bucket b set tokens = 0, filled_at = f.at, lowered_at = f.at,
      level = greatest(${LIMITS.rateFloor}::float8, f.level / 2)
    from filled f
    where b.name = f.name and b.lowered_at < f.at - interval '1 second'`;
}

/** The bucket with what it has gained since it was last looked at, its row locked. */
function filled(db: Database, { name, rate }: RateBucket): Fragment {
  const { perSecond, rampSeconds } = rate;
  const burst = burstOf(perSecond);
  return db`
    select name, at, level, capacity, case when is_quiet then capacity else least(capacity,
        tokens + ${perSecond}::float8 * idle * (level_before + level) / 2) end as tokens
    from (select *, greatest(1, ${burst}::float8 * level) as capacity from (
      select *, case when ${rampSeconds}::float8 = 0 then 1 when is_quiet then ${LIMITS.rateFloor}
        else least(1, level_before + idle / nullif(${rampSeconds}::float8, 0)) end as level
      from (
        select name, tokens, level as level_before, at,
          extract(epoch from at - filled_at)::float8 as idle,
          ${rampSeconds}::float8 > 0 and at - filled_at > make_interval(secs => ${rampSeconds})
            as is_quiet
        from (
          select *, greatest(filled_at, clock_timestamp()) as at from (
            select * from rate_bucket where name = ${name} for update) locked
          offset 0) timed
      ) aged
    ) grown) bounded`;
}

async function addBucket(db: Database, { name, rate }: RateBucket): Promise<void> {
  const level = rate.rampSeconds === 0 ? 1 : LIMITS.rateFloor;
  await db`
    insert into rate_bucket (name, tokens, level, filled_at)
    values (${name}, ${Math.max(1, burstOf(rate.perSecond) * level)}, ${level}, clock_timestamp())
    on conflict do nothing`;
}

function burstOf(perSecond: number): number {
  return Math.max(1, (perSecond * LIMITS.rateBurstMs) / 1000);
}
