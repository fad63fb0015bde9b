-- A notification goes to the tokens that installations have for alerts, or to those for a purpose.

alter table notification
  add column purpose text check (purpose in ('voip', 'live_activity', 'push_to_start')),
  add column activity_id text not null default '' collate "C",
  add check ((activity_id <> '') = (purpose is not distinct from 'live_activity'));
