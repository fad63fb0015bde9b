-- What the freeze of a provider's host leaves to be done for the tokens in `token_loss`. It is done
-- bit by bit beside the settlements, because there may be as many as an app has installations.

create table relief (
  credential_ref bigint not null,
  host text not null collate "C",
  -- restore: give tokens back that were taken before the freeze; reoffer: it has ended, so offer
  -- again what failed because of them. The former goes first.
  kind text not null check (kind in ('restore', 'reoffer')),
  app_ref bigint not null references app,
  -- Which losses it is about, and how far it has come.
  since timestamptz not null default '-infinity',
  until timestamptz not null default 'infinity',
  through_ref bigint not null default 0,
  primary key (credential_ref, host, kind)
);
