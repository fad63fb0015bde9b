-- What providers promise to say later.

-- A push that a provider took, and of which it says only later whether it could pass it on. Written
-- with the ledger, so that no crash forgets to ask; gone once that was heard, or is too late.
create table ticket (
  ticket_ref bigint generated always as identity primary key,
  app_ref bigint not null,
  credential_ref bigint not null,
  -- By what the provider's receipt is asked for.
  receipt_id text not null collate "C",
  -- The delivery, and for whom the push was made.
  day date not null,
  notification_ref bigint not null,
  installation_ref bigint not null,
  user_ref bigint not null,
  holder_version bigint not null,
  host text not null collate "C",
  sent_at timestamptz not null,
  due_at timestamptz not null,
  -- When the provider forgets it.
  ends_at timestamptz not null,
  -- Fencing token, and how often it was asked for.
  attempt integer not null default 0,
  lease_until timestamptz
) with (fillfactor = 80);
create index ticket_by_due on ticket (due_at);
create index ticket_by_credential on ticket (credential_ref, due_at);
create index ticket_by_end on ticket (ends_at);
