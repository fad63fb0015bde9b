-- A token that a provider calls invalid although it worked before is asked about with another
-- message. What a token is asked about itself has its own address, and an environment probe the one
-- in the other environment, so that the two are told apart by it.

alter table probe drop constraint probe_kind_check;
alter table probe add constraint probe_kind_check
  check (kind in ('environment', 'validity', 'challenge'));
drop index probe_by_address;
create unique index probe_by_address on probe (app_ref, installation_ref, address_key)
  where kind <> 'challenge';
