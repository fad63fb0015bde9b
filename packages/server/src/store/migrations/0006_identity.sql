-- How an app vouches for its users, as its owner sets it over HTTP.

alter table app
  -- How a token is taken over without a newer assertion: by echoing a nonce, or by echoing one that
  -- came through the token itself.
  add column takeover text not null default 'nonce' check (takeover in ('nonce', 'challenge')),
  add column static_signatures boolean not null default false,
  -- Where the app publishes its identity keys; null where they are registered one by one.
  add column jwks_url text;

-- Keys that were made for everything can do what is new as well.
update api_key set scopes = scopes || array['app:read', 'app:write']
where kind = 'secret' and scopes @> array[
  'installations:read', 'installations:write', 'users:read', 'users:write',
  'notifications:read', 'notifications:write'
];
