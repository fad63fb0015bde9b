-- What feedback keeps beside the ledger: alerts for people, the answers by which a mass death is
-- told from many small ones, and the probes that go to addresses of nobody's choice.

-- Something that a person should look at. The kinds stand in domain/alert.ts.
create table alert (
  alert_ref bigint generated always as identity primary key,
  id uuid not null unique default gen_random_uuid(),
  app_ref bigint not null references app,
  kind text not null,
  -- What it is about, by internal reference.
  subject text not null collate "C",
  detail jsonb not null default '{}',
  opened_at timestamptz not null,
  last_seen_at timestamptz not null,
  closed_at timestamptz,
  closed_by text,
  check ((closed_at is null) = (closed_by is null))
);
create unique index alert_open on alert (app_ref, kind, subject) where closed_at is null;
create index alert_by_app on alert (app_ref, alert_ref desc);

-- One minute of a credential at one of its provider's hosts. While all is well a minute is written
-- once, for its first acceptance.
create table answer_minute (
  credential_ref bigint not null,
  host text not null collate "C",
  minute timestamptz not null,
  accepted boolean not null,
  refused integer not null,
  primary key (credential_ref, host, minute)
);
create index answer_minute_by_age on answer_minute (minute);

-- The tokens that a credential's provider took from us lately, each once, with what restores them.
create table token_loss (
  credential_ref bigint not null,
  host text not null collate "C",
  installation_ref bigint not null,
  holder_version bigint not null,
  status_before text not null,
  at timestamptz not null,
  primary key (credential_ref, host, installation_ref)
);
create index token_loss_by_age on token_loss (at);

-- A push that belongs to no notification: to an address that may not be the installation's own. The
-- row outlives its attempt until `again_at`, so that nobody can make us knock more often.
create table probe (
  probe_ref bigint generated always as identity primary key,
  -- What its attempts carry.
  id uuid not null default gen_random_uuid(),
  app_ref bigint not null references app,
  kind text not null check (kind in ('environment', 'challenge')),
  -- The installation in question: the holder of the token, or who claims it.
  installation_ref bigint not null,
  -- An environment probe changes the installation only if it is still this one's.
  holder_version bigint not null,
  provider text not null,
  credential_project text not null default '' collate "C",
  environment text not null default '',
  topic text not null default '' collate "C",
  token_kind text not null default 'token',
  token text not null collate "C",
  web_push_p256dh text,
  web_push_auth text,
  vapid_key_id text,
  address_key bytea not null,
  -- What a challenge says.
  nonce text,
  available_at timestamptz not null,
  expires_at timestamptz not null,
  again_at timestamptz not null,
  -- Fencing token, and how often it was tried.
  attempt integer not null default 0,
  lease_until timestamptz,
  settled_at timestamptz,
  check ((nonce is not null) = (kind = 'challenge'))
);
create unique index probe_by_address on probe (app_ref, kind, installation_ref, address_key);
create index probe_open on probe (available_at) where settled_at is null;
create index probe_by_rest on probe (again_at);
