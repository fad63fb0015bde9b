-- Large audiences: walked by key when they are expanded, and uploaded as lists.

-- How far the walk over the notification's audience has come, in words that only the walk knows;
-- empty at its beginning. Null where the chunk itself says whom it is for.
alter table chunk add column cursor text collate "C";
-- The place of a chunk among those of its app: chunks of a large notification take one place after
-- the other, so that what is accepted while they wait comes in between.
alter table chunk add column turn integer not null default 0;
drop index chunk_by_lane;
create index chunk_by_turn on chunk (lane, app_ref, turn, available_at, chunk_ref);
-- A heartbeat changes the lease and not its owner, so that it need not touch any index.
create index chunk_under_way on chunk (lane, app_ref) where lease_owner is not null;

create index installation_by_app on installation (app_ref, installation_ref)
  where removed_at is null;
-- Whether what is sent to a topic is bound to users is asked with every notification.
create index topic_subscription_of_users on topic_subscription (app_ref, topic)
  where user_ref <> 0;

-- Uploaded lists. One that is still being uploaded, or was left half uploaded, is not completed.
create table audience (
  audience_ref bigint generated always as identity primary key,
  app_ref bigint not null references app,
  id uuid not null unique,
  users bigint not null default 0,
  installations bigint not null default 0,
  has_variables boolean not null default false,
  created_at timestamptz not null,
  completed_at timestamptz,
  -- When the last notification that uses it expires; retries look for its variables until then.
  needed_until timestamptz not null
);
create index audience_by_app on audience (app_ref);

-- Under the customer's own ids: whoever signs in, or enrols, after the upload is addressed as well.
-- There is no foreign key, which would cost each of a million rows a look at the same list.
create table audience_member (
  audience_ref bigint not null,
  kind text not null collate "C" check (kind in ('user', 'installation')),
  id text not null collate "C",
  variables jsonb,
  primary key (audience_ref, kind, id)
);
