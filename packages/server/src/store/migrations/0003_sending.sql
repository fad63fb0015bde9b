-- Sending: what was asked for, the work that is left, and the record of what happened.

create table notification (
  notification_ref bigint generated always as identity primary key,
  app_ref bigint not null references app,
  id uuid not null unique,
  -- The partition of its deliveries and receipts. Part of every key: a delivery's own day would let
  -- the same pair in twice over midnight.
  day date not null,
  audience jsonb not null,
  content jsonb not null,
  locales jsonb not null default '{}',
  variables jsonb not null default '{}',
  recipient_variables jsonb not null default '{}',
  overrides jsonb not null default '{}',
  category text not null,
  labels jsonb not null default '{}',
  user_bound boolean not null,
  priority text not null check (priority in ('high', 'normal')),
  lane text not null check (lane in ('transactional', 'bulk')),
  silent boolean not null default false,
  collapse_key text collate "C",
  ttl_seconds integer not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  cancelled_at timestamptz,
  finished_at timestamptz,
  -- Null until the audience is resolved; then conservation holds (docs/lifecycle.md).
  expected bigint
);
create index notification_by_app on notification (app_ref, notification_ref desc);
-- An erasure and an export look for what names a user.
create index notification_by_user on notification using gin ((audience->'users'))
  where user_bound;

-- Kept by whoever changes the ledger, so that a report never counts rows.
create table notification_counter (
  notification_ref bigint not null references notification,
  state text not null,
  reason text not null default '',
  deliveries bigint not null,
  possible_duplicates bigint not null default 0,
  primary key (notification_ref, state, reason)
);

-- The queue: one row for up to 1,000 deliveries of one notification on one lane.
create table chunk (
  chunk_ref bigint generated always as identity primary key,
  app_ref bigint not null,
  notification_ref bigint not null references notification,
  day date not null,
  lane text not null check (lane in ('transactional', 'bulk')),
  -- Null until named users are resolved to installations by the first lease.
  credential_ref bigint,
  installation_refs bigint[],
  user_refs bigint[] not null default '{}',
  -- True when the ledger already holds these deliveries as `retrying`.
  retry boolean not null default false,
  -- How many of the deliveries have been through the gate: the write-ahead mark.
  gated_through integer not null default 0,
  settled integer not null default 0,
  available_at timestamptz not null default now(),
  lease_owner text,
  lease_until timestamptz,
  -- Fencing token: whoever holds an older number writes nothing.
  attempt integer not null default 0,
  created_at timestamptz not null default now()
);
create index chunk_by_lane on chunk (lane, available_at, chunk_ref);
create index chunk_by_notification on chunk (notification_ref);

-- The ledger.
create table delivery (
  day date not null,
  notification_ref bigint not null,
  installation_ref bigint not null,
  -- 0 where the content is not user-bound.
  user_ref bigint not null default 0,
  state text not null
    check (state in ('accepted', 'failed', 'expired', 'skipped', 'unknown', 'retrying')),
  reason text not null default '',
  -- The provider's own code, verbatim.
  code text,
  provider text,
  provider_id text,
  holder_version bigint,
  attempts smallint not null default 0,
  possible_duplicate boolean not null default false,
  -- The chunk in which a `retrying` delivery is offered again at the moment; only that one may
  -- settle it. Null while it waits, and once it is final.
  chunk_ref bigint,
  first_sent_at timestamptz,
  sent_at timestamptz,
  settled_at timestamptz not null,
  primary key (day, notification_ref, installation_ref, user_ref)
) partition by range (day);
create index delivery_by_installation on delivery (installation_ref, day);
create table delivery_default partition of delivery default;

-- Deliveries that are to be offered again, by due time.
create table retry (
  day date not null,
  notification_ref bigint not null references notification,
  installation_ref bigint not null,
  user_ref bigint not null default 0,
  app_ref bigint not null,
  lane text not null,
  due_at timestamptz not null,
  primary key (notification_ref, installation_ref, user_ref)
);
create index retry_by_due on retry (due_at);

-- What devices reported: displayed, opened, dismissed.
create table receipt (
  day date not null,
  notification_ref bigint not null,
  installation_ref bigint not null,
  kind text not null check (kind in ('displayed', 'opened', 'dismissed')),
  at timestamptz not null,
  received_at timestamptz not null default now(),
  primary key (day, notification_ref, installation_ref, kind)
) partition by range (day);
create table receipt_default partition of receipt default;
