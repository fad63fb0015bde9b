-- Indexes that retention walks.

-- A pass over ended links goes on after the last one it looked at; many may end at one moment.
drop index link_by_end;
create index link_by_end on link (ended_at, link_ref) where ended_at is not null;

-- Rows of used assertions come in the order of time but are dropped in between, and their space is
-- filled anew, so that block ranges soon span every age and a batch reads the whole table.
drop index proof_by_age;
create index proof_by_age on proof (used_at);
