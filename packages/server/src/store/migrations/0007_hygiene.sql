-- Hygiene: what is dormant, what a review would do about it, and indexes for retention.

-- How the app treats silent installations (domain/dormancy.ts); what is left out has a default.
alter table app add column dormancy jsonb not null default '{}';

-- What a clean-up would do, counted before anything is done. `through_ref` is how far the phase of
-- the moment has come, so that any process can go on where another one stopped.
create table review (
  review_ref bigint generated always as identity primary key,
  app_ref bigint not null references app,
  id uuid not null unique,
  state text not null
    check (state in ('counting', 'open', 'applying', 'applied', 'superseded')),
  -- As of this moment everything is counted and, later, applied: nobody is affected who was not
  -- counted.
  created_at timestamptz not null,
  policy jsonb not null,
  -- The highest installation at that moment, and how far the counting or the applying has come.
  last_ref bigint not null,
  through_ref bigint not null default 0,
  platforms jsonb not null default '{}',
  -- What was decided: by whom, and which halves.
  applied_by text,
  applied_at timestamptz,
  makes_dormant boolean not null default false,
  purges boolean not null default false,
  made_dormant bigint not null default 0,
  purged bigint not null default 0,
  finished_at timestamptz
);
create index review_by_app on review (app_ref, review_ref desc);
create unique index review_under_way on review (app_ref) where state in ('counting', 'applying');

-- A purge would look for the proofs of each installation, and there is no index to find them by.
-- What it deletes was silent for a year, and proofs are kept for a day.
alter table proof drop constraint proof_installation_ref_fkey;
-- Rows come in the order of time, so that a block range index costs a login nothing.
create index proof_by_age on proof using brin (used_at);

-- For retention: a day's notifications go before the day's partition does.
create index notification_by_day on notification (day, notification_ref);
create index link_by_end on link (ended_at) where ended_at is not null;
