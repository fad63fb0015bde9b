-- An installation may have several users, so who is signed in stands in `link` alone, and nothing
-- repeats it.
drop index installation_by_user;
alter table installation drop column user_ref, drop column linked_at, drop column rcpt;
