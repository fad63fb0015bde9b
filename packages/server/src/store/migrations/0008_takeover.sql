-- Takeovers: disputes about tokens, challenges for them, reinstalled apps and copied ones.

-- Each time that a token went to another installation, kept as long as it tells of a dispute.
create table address_move (
  app_ref bigint not null references app,
  address_key bytea not null,
  at timestamptz not null
);
create index address_move_by_address on address_move (app_ref, address_key, at);
create index address_move_by_age on address_move (at);

alter table installation
  -- What the present address took the place of, and whether it was there before that one: two
  -- copies of one installation go on replacing each other's token.
  add column former_address_key bytea,
  add column token_returned boolean not null default false;

-- Finds the installation that a reinstalled app left behind.
create index installation_by_device on installation (app_ref, vendor_id)
  where vendor_id is not null;
create index installation_contested on installation (app_ref)
  where token_status = 'contested';

alter table link
  drop constraint link_ended_by_check,
  add constraint link_ended_by_check check (
    ended_by in ('logout', 'switched', 'revoked', 'deleted', 'removed', 'superseded'));

-- A challenge is asked of the token's holder for a claimant, who need not be enrolled yet, and of
-- that state of the holder which its nonce is for.
alter table probe
  add column claimant_id uuid,
  add check ((claimant_id is not null) = (kind = 'challenge'));
drop index probe_by_address;
create unique index probe_by_address on probe (app_ref, installation_ref, address_key)
  where kind = 'environment';
create unique index probe_by_claim on probe (app_ref, address_key, claimant_id, holder_version)
  where kind = 'challenge';
