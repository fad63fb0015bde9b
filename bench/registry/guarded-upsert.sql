-- The reference of the benchmark `registry`, for pgbench: a token refresh without any of our rules,
-- guarded by its sequence. The clock counts the sequence up, so that every transaction writes.
\set number random(0, :rows - 1)
insert into reference_installation as held (
  app_ref, id, provider, environment, topic, token, address_key, seq, updated_at
)
values (
  :app, md5('installation-' || :number)::uuid, 'apns', 'production', 'com.acme.shop',
  md5(clock_timestamp()::text) || md5(:number::text),
  sha256(convert_to(clock_timestamp()::text, 'UTF8')),
  (extract(epoch from clock_timestamp()) * 1000000)::bigint, now()
)
on conflict (app_ref, id) do update
set provider = excluded.provider, environment = excluded.environment, topic = excluded.topic,
  token = excluded.token, address_key = excluded.address_key, seq = excluded.seq,
  updated_at = excluded.updated_at
where excluded.seq > held.seq;
