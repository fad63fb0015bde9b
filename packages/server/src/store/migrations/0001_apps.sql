-- Tenants: apps, the keys that speak for them, the keys that vouch for their users, and the
-- credentials that open their providers. Secrets are stored hashed (keys) or sealed (credentials).

create table app (
  app_ref bigint generated always as identity primary key,
  id uuid not null unique,
  name text not null,
  environment text not null check (environment in ('live', 'test')),
  identity text not null default 'required' check (identity in ('required', 'off')),
  account_mode text not null default 'exclusive' check (account_mode in ('exclusive', 'multi')),
  allowed_origins text[] not null default '{}',
  default_ttl_seconds integer not null default 259200
    check (default_ttl_seconds between 0 and 2419200),
  user_bound_ttl_ceiling_seconds integer not null default 86400
    check (user_bound_ttl_ceiling_seconds between 1 and 2419200),
  installation_quota bigint,
  daily_notification_quota bigint,
  created_at timestamptz not null default now()
);

create table api_key (
  key_ref bigint generated always as identity primary key,
  app_ref bigint not null references app,
  kind text not null check (kind in ('secret', 'publishable')),
  key_hash bytea not null unique,
  hint text not null,
  scopes text[] not null default '{}',
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_on date
);

-- Public keys are kept as JWK, shared secrets (HS256) sealed; never both.
create table identity_key (
  identity_key_ref bigint generated always as identity primary key,
  app_ref bigint not null references app,
  key_id text not null collate "C",
  algorithm text not null check (algorithm in ('ES256', 'EdDSA', 'RS256', 'HS256')),
  public_jwk jsonb,
  sealed_secret bytea,
  created_at timestamptz not null default now(),
  retired_at timestamptz,
  check (num_nonnulls(public_jwk, sealed_secret) = 1)
);
create unique index identity_key_by_id on identity_key (app_ref, key_id);

create table credential (
  credential_ref bigint generated always as identity primary key,
  -- Made before the row, because sealed values are bound to it.
  id uuid not null unique,
  app_ref bigint not null references app,
  provider text not null check (provider in ('apns', 'fcm', 'webpush', 'expo', 'hms')),
  -- APNs: the team; FCM: the project.
  project text not null collate "C",
  environments text[] not null default '{}',
  topics text[] not null default '{}',
  settings jsonb not null default '{}',
  sealed_secret bytea not null,
  -- The provider token that all processes share; sealed like the secret it was made from.
  sealed_provider_token bytea,
  stopped_at timestamptz,
  stopped_reason text,
  created_at timestamptz not null default now(),
  retired_at timestamptz
);
create index credential_by_app on credential (app_ref, provider) where retired_at is null;
