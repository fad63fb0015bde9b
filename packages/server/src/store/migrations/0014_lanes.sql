-- How fast a credential and a notification may send, and whether a notification stands still.

alter table credential
  -- Null takes the provider's own figure; 0 lifts every limit.
  add column rate_per_minute integer check (rate_per_minute >= 0),
  -- How long the rate takes to grow after a quiet time; null takes the provider's own figure.
  add column ramp_seconds integer check (ramp_seconds >= 0);

alter table notification
  add column pace_per_second integer check (pace_per_second > 0),
  add column paused_at timestamptz;

-- What workers share of a rate. A missing row is a bucket that nobody has used for long, so that
-- nothing is lost with a crash: unlogged, because a grant must not wait for the disk.
create unlogged table rate_bucket (
  name text primary key collate "C",
  tokens double precision not null,
  -- The share of the full rate that it has grown to since a quiet time or a refusal.
  level double precision not null,
  filled_at timestamptz not null,
  lowered_at timestamptz not null default '-infinity'
) with (fillfactor = 50);
