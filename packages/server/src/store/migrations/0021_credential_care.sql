-- What an operator is told about a credential, and what was found out about it.

alter table credential
  -- For people; '' for one that nobody named.
  add column name text not null default '',
  -- When the provider stops taking it; null where it does not expire, or nobody can tell.
  add column expires_at timestamptz,
  -- The last warning about that: so many days before. Null before the first.
  add column expiry_warned_days smallint,
  -- When the provider last took it, asked by an operator.
  add column verified_at timestamptz,
  -- The day on which a provider last took a push with it.
  add column last_accepted_on date,
  -- Counts the changes that workers have to follow.
  add column revision integer not null default 0;

-- Keys that were made for everything can do what is new as well.
update api_key set scopes = scopes || array['credentials:read', 'credentials:write']
where kind = 'secret' and scopes @> array[
  'app:read', 'app:write', 'installations:read', 'installations:write', 'users:read',
  'users:write', 'notifications:read', 'notifications:write'
];
