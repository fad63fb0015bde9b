-- The sequence of the last packet that said who is signed in. A logout of one user says nothing of
-- the others, so that only this orders it, and not the mark that another logout may have moved on.
-- Null until the next such packet, and until then the mark of the group orders logouts.
alter table installation add column named_seq bigint;
