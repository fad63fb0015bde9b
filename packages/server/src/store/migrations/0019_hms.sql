-- HMS has two kinds of tokens: those of Android and EMUI, which all were so far, and those of
-- HarmonyOS NEXT, which only another API takes.
alter table installation drop constraint installation_token_kind_check;
update installation set token_kind = 'android' where provider = 'hms';
alter table installation add constraint installation_token_kind_check
  check (token_kind in ('token', 'fid', 'android', 'harmony'));
update probe set token_kind = 'android' where provider = 'hms';
