import { Type, type Static } from 'typebox';

/** One line of a timeline: a change of the registry, or a delivery. */
export const TimelineEntry = Type.Object({
  at: Type.String({ format: 'date-time' }),
  kind: Type.String(),
  sentence: Type.String({ description: 'the line in plain words' }),
  installation_id: Type.String(),
  source: Type.String(),
  request_id: Type.Union([Type.String(), Type.Null()]),
  user_id: Type.Optional(Type.String()),
  old_token: Type.Optional(Type.String()),
  new_token: Type.Optional(Type.String()),
  seq: Type.Optional(Type.Integer()),
  cause: Type.Optional(Type.String()),
  app_version: Type.Optional(Type.String()),
  sdk_version: Type.Optional(Type.String()),
  notification_id: Type.Optional(Type.String()),
  code: Type.Optional(Type.String()),
});
export type TimelineEntry = Static<typeof TimelineEntry>;

export const Timeline = Type.Object({ data: Type.Array(TimelineEntry) }, { $id: 'Timeline' });
export type Timeline = Static<typeof Timeline>;
