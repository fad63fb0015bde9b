import { Type, type Static } from 'typebox';
import { TimelineEntry } from './timeline.ts';
import type { User } from './user.ts';

const Time = Type.String({ format: 'date-time' });
const NullableText = Type.Union([Type.String(), Type.Null()]);
const NullableTime = Type.Union([Time, Type.Null()]);
const Free = Type.Record(Type.String(), Type.Unknown());

const Link = Type.Object({
  installation_id: Type.String(),
  started_at: Time,
  ended_at: NullableTime,
  ended_by: NullableText,
  app_version: Type.Union([Type.String(), Type.Null()], {
    description: 'the version of the app when the link ended',
  }),
});

const PurposeToken = Type.Object({
  installation_id: Type.String(),
  purpose: Type.String(),
  activity_id: NullableText,
  masked: Type.String({ description: 'the first eight hex digits of its SHA-256' }),
  environment: Type.String(),
  topic: Type.String(),
  updated_at: Time,
});

const ExportedList = Type.Object({
  id: Type.String(),
  created_at: Time,
  variables: Type.Unsafe<Record<string, unknown> | null>(Type.Union([Free, Type.Null()])),
});

const ExportedNotification = Type.Object({
  id: Type.String(),
  created_at: Time,
  category: Type.String(),
  content: Free,
  locales: Free,
  variables: Free,
  own_variables: Type.Unsafe<Record<string, unknown> | null>(Type.Union([Free, Type.Null()])),
});

const ExportedDelivery = Type.Object({
  notification_id: Type.String(),
  installation_id: Type.String(),
  state: Type.String(),
  reason: NullableText,
  code: NullableText,
  provider: NullableText,
  attempts: Type.Integer(),
  sent_at: NullableTime,
  settled_at: Time,
});

const ExportedReceipt = Type.Object({
  notification_id: Type.String(),
  installation_id: Type.String(),
  kind: Type.String(),
  at: Time,
});

/** Everything that is held about a user; tokens appear as fingerprints. */
export const UserExport = Type.Object(
  {
    exported_at: Time,
    user: Type.Unsafe<User>(Type.Ref('User')),
    links: Type.Array(Link),
    purpose_tokens: Type.Array(PurposeToken),
    events: Type.Array(TimelineEntry),
    lists: Type.Array(ExportedList, { description: 'uploaded lists that name the user' }),
    notifications: Type.Array(ExportedNotification),
    deliveries: Type.Array(ExportedDelivery),
    receipts: Type.Array(ExportedReceipt),
  },
  { $id: 'UserExport' },
);
export type UserExport = Static<typeof UserExport>;
