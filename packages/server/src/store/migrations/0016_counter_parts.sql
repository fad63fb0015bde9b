-- Every settlement of a notification moves the same counters and holds them until its commit. In
-- parts, of which it takes one, many settle at once; a report is the sum of the parts.
alter table notification_counter
  add column part smallint not null default 0,
  drop constraint notification_counter_pkey,
  add primary key (notification_ref, part, state, reason);
