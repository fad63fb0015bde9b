-- The registry: who is signed in where, and how a provider reaches it.

-- The only place that knows a customer's own user id; every other table holds user_ref.
create table app_user (
  user_ref bigint generated always as identity primary key,
  app_ref bigint not null references app,
  id text not null collate "C",
  attributes jsonb not null default '{}',
  preferences jsonb not null default '{}',
  consent jsonb not null default '{}',
  quiet_hours jsonb,
  locale text,
  time_zone text,
  -- Assertions issued before this instant are refused (revocation, deletion).
  not_before timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create unique index app_user_by_id on app_user (app_ref, id);

-- What is left of an erased user for a day: enough to refuse assertions from before the erasure.
create table user_tombstone (
  app_ref bigint not null references app,
  id_mac bytea not null,
  not_before timestamptz not null,
  primary key (app_ref, id_mac)
);

-- One row, read whole by the send path. The address and, for exclusive apps, the link are repeated
-- here so that the ownership check is one primary-key read.
create table installation (
  installation_ref bigint generated always as identity primary key,
  app_ref bigint not null references app,
  id uuid not null,
  secret_hash bytea,

  provider text check (provider in ('apns', 'fcm', 'webpush', 'expo', 'hms')),
  -- FCM: the project that the token belongs to. Empty for the others, never null.
  credential_project text not null default '' collate "C",
  environment text not null default '',
  topic text not null default '' collate "C",
  token_kind text not null default 'token' check (token_kind in ('token', 'fid')),
  token text collate "C",
  web_push_p256dh text,
  web_push_auth text,
  vapid_key_id text,
  -- SHA-256 of what makes an address unique (domain/address-key.ts).
  address_key bytea,
  token_status text check (token_status in ('live', 'quarantined', 'contested', 'retired')),
  token_status_code text,
  token_status_at timestamptz,
  token_confirmed_at timestamptz,
  token_changed_at timestamptz,

  user_ref bigint references app_user,
  linked_at timestamptz,
  rcpt text,
  -- Bumped by every change of token or user; feedback and nonces name the version they speak of.
  holder_version bigint not null default 0,
  -- A client's assertion has to be newer than the last write by the customer's own back end.
  server_write_at timestamptz,

  token_seq bigint, token_hash bytea,
  user_seq bigint, user_hash bytea,
  device_seq bigint, device_hash bytea,
  preferences_seq bigint, preferences_hash bytea,
  -- The highest of its topics, each of which has a mark of its own.
  topics_seq bigint,

  permission text
    check (permission in ('granted', 'provisional', 'ephemeral', 'denied', 'default')),
  dormant_since timestamptz,
  removed_at timestamptz,
  -- When the tombstone of a removed installation gave its id free.
  forgotten_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  last_seen_at timestamptz not null default now(),
  last_accepted_on date,
  last_failure_code text,
  last_failure_at timestamptz,
  failures_in_a_row integer not null default 0,

  platform text,
  label text,
  model text,
  os_version text,
  app_version text,
  sdk_version text,
  locale text,
  time_zone text,
  vendor_id text collate "C",
  -- What the device's own clock said; orders nothing.
  client_time timestamptz,
  tags jsonb not null default '{}',
  device_tags jsonb not null default '{}',
  preferences jsonb not null default '{}',

  check ((token is null) = (address_key is null)),
  check ((token is null) = (token_status is null)),
  check ((user_ref is null) = (linked_at is null))
) with (fillfactor = 80);
create unique index installation_by_id on installation (app_ref, id);
-- Rule R1: at most one installation holds an address. A null key would let the same token in twice,
-- which the checks above rule out.
create unique index installation_by_address on installation (app_ref, address_key)
  where token_status <> 'retired';
create index installation_by_user on installation (app_ref, user_ref) where user_ref is not null;
create index installation_by_removal on installation (removed_at)
  where removed_at is not null and forgotten_at is null;

-- Open rows say who is signed in; closed rows are the history.
create table link (
  link_ref bigint generated always as identity primary key,
  app_ref bigint not null references app,
  installation_ref bigint not null references installation,
  user_ref bigint not null,
  exclusive boolean not null,
  started_at timestamptz not null,
  ended_at timestamptz,
  ended_by text check (ended_by in ('logout', 'switched', 'revoked', 'deleted', 'removed')),
  ended_app_version text,
  rcpt text,
  asserted_at timestamptz,
  check ((ended_at is null) = (ended_by is null))
);
create unique index link_open_exclusive on link (installation_ref)
  where ended_at is null and exclusive;
create unique index link_open on link (installation_ref, user_ref) where ended_at is null;
create index link_by_user on link (user_ref, link_ref desc);
create index link_by_installation on link (installation_ref, link_ref desc);

-- Which installation used an assertion: each serves once, and the key decides between two at once.
create table proof (
  app_ref bigint not null references app,
  jti text not null collate "C",
  installation_ref bigint not null references installation,
  used_at timestamptz not null,
  primary key (app_ref, jti)
);

-- Addresses beside the alert address: VoIP, Live Activity, push-to-start.
create table purpose_token (
  installation_ref bigint not null references installation,
  app_ref bigint not null references app,
  purpose text not null check (purpose in ('voip', 'live_activity', 'push_to_start')),
  activity_id text not null default '' collate "C",
  provider text not null default 'apns',
  environment text not null,
  topic text not null collate "C",
  token text not null collate "C",
  address_key bytea not null,
  token_status text not null default 'live'
    check (token_status in ('live', 'quarantined', 'contested', 'retired')),
  seq bigint,
  holder_version bigint not null default 0,
  updated_at timestamptz not null default now(),
  primary key (installation_ref, purpose, activity_id)
);
create unique index purpose_token_by_address on purpose_token (app_ref, address_key)
  where token_status <> 'retired';

create table topic_subscription (
  installation_ref bigint not null references installation,
  topic text not null collate "C",
  app_ref bigint not null references app,
  -- 0 for a subscription of the device; otherwise it ends with this user's link.
  user_ref bigint not null default 0,
  created_at timestamptz not null default now(),
  primary key (installation_ref, topic, user_ref)
);
create index topic_subscription_by_topic on topic_subscription (app_ref, topic, installation_ref);

-- The last request of the client about each topic; stays when the subscription ends, so that a late
-- request is recognised.
create table topic_mark (
  installation_ref bigint not null references installation,
  topic text not null collate "C",
  seq bigint not null,
  hash bytea not null,
  primary key (installation_ref, topic)
);

-- The timeline. Never holds user ids, tokens or content; tokens appear as hash prefixes.
create table event (
  event_ref bigint generated always as identity,
  at timestamptz not null,
  app_ref bigint not null,
  installation_ref bigint not null,
  user_ref bigint,
  kind text not null,
  source text not null
    check (source in ('sdk', 'simple', 'server_key', 'provider', 'console', 'policy')),
  request_id text,
  app_version text,
  sdk_version text,
  old_token text,
  new_token text,
  seq bigint,
  cause text,
  primary key (at, event_ref)
) partition by range (at);
create index event_by_installation on event (installation_ref, at desc, event_ref desc);
create table event_default partition of event default;

-- One row per business event, in the transaction of the change; webhooks and streams read it.
create table outbox (
  outbox_ref bigint generated always as identity primary key,
  app_ref bigint not null,
  at timestamptz not null default now(),
  kind text not null,
  subject jsonb not null
);

-- Every write by a secret key or a person: who, what, before, after.
create table audit (
  audit_ref bigint generated always as identity primary key,
  app_ref bigint not null,
  at timestamptz not null default now(),
  actor text not null,
  action text not null,
  subject text not null,
  request_id text,
  before jsonb,
  after jsonb
);
create index audit_by_app on audit (app_ref, audit_ref desc);

-- Answers to requests that carried an idempotency key, kept for 30 days.
create table idempotency (
  app_ref bigint not null references app,
  key text not null collate "C",
  body_hash bytea not null,
  status smallint not null,
  -- Null where the answer held a secret: its replay is refused instead of repeated.
  body jsonb,
  created_at timestamptz not null default now(),
  primary key (app_ref, key)
);
create index idempotency_by_age on idempotency (created_at);
