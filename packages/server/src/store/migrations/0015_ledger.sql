-- The ledger at a million deliveries a notification.

-- The last day on which a provider took a push for an installation. Written for a whole audience by
-- one notification, hence apart from the wide rows that devices write: a row of its own is a tenth
-- of the work, no index but the key moves, and nobody's registration waits.
create table acceptance (
  installation_ref bigint primary key,
  accepted_on date not null
) with (fillfactor = 50);
insert into acceptance (installation_ref, accepted_on)
select installation_ref, last_accepted_on from installation where last_accepted_on is not null;
alter table installation drop column last_accepted_on;

-- Finds one delivery of an installation without reading the day's others.
drop index delivery_by_installation;
create index delivery_by_installation on delivery (installation_ref, notification_ref);

-- Leases, marks and counts change a chunk a dozen times; with room beside it no index hears of it.
alter table chunk set (fillfactor = 50);
-- Every settlement of a notification changes the same few counters.
alter table notification_counter set (fillfactor = 50);
