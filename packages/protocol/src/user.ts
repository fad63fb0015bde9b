import { Type, type Static } from 'typebox';
import type { Installation } from './installation.ts';

const Free = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), { maxProperties: 200 });
const NullableText = (maxLength: number) => Type.Union([Type.String({ maxLength }), Type.Null()]);

/** What a back end tells about its user. What is left out stays; null clears. */
export const UserInput = Type.Object(
  {
    attributes: Type.Optional(Free),
    preferences: Type.Optional(Free),
    consent: Type.Optional(Free),
    quiet_hours: Type.Optional(Type.Union([Free, Type.Null()])),
    locale: Type.Optional(NullableText(35)),
    time_zone: Type.Optional(NullableText(64)),
  },
  { $id: 'UserInput', additionalProperties: false },
);
export type UserInput = Static<typeof UserInput>;

export const User = Type.Object(
  {
    id: Type.String(),
    attributes: Type.Record(Type.String(), Type.Unknown()),
    preferences: Type.Record(Type.String(), Type.Unknown()),
    consent: Type.Record(Type.String(), Type.Unknown()),
    quiet_hours: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
    locale: Type.Union([Type.String(), Type.Null()]),
    time_zone: Type.Union([Type.String(), Type.Null()]),
    installations: Type.Array(Type.Unsafe<Installation>(Type.Ref('Installation'))),
    created_at: Type.String({ format: 'date-time' }),
    updated_at: Type.String({ format: 'date-time' }),
  },
  { $id: 'User' },
);
export type User = Static<typeof User>;

/** How many installations the user is signed in on, and on how many something changed. */
export const UserTopicAnswer = Type.Object(
  { installations: Type.Integer(), changed: Type.Integer() },
  { $id: 'UserTopicAnswer' },
);
export type UserTopicAnswer = Static<typeof UserTopicAnswer>;

export const RevokeAnswer = Type.Object(
  { signed_out: Type.Integer({ description: 'on so many installations' }) },
  { $id: 'RevokeAnswer' },
);
export type RevokeAnswer = Static<typeof RevokeAnswer>;

/** Without `installations`, the user is signed out everywhere. */
export const RevokeInput = Type.Object(
  {
    installations: Type.Optional(Type.Array(Type.String(), { minItems: 1, maxItems: 1000 })),
  },
  { $id: 'RevokeInput', additionalProperties: false },
);
export type RevokeInput = Static<typeof RevokeInput>;
