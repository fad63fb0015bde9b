-- Why the system of a device gave its app no token, as the device reports it; null while it does,
-- and where nothing was reported.

alter table installation
  add column token_error_code text,
  add column token_error_detail text;
