import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;
const variables = Type.Optional(Type.Record(Type.String(), Type.Unknown()));

/** One line of an uploaded list. */
export const AudienceLine = Type.Union(
  [
    Type.Object({ user: Type.String({ minLength: 1, maxLength: 255 }), variables }, closed),
    Type.Object({ installation: Type.String({ format: 'uuid' }), variables }, closed),
  ],
  { $id: 'AudienceLine' },
);
export type AudienceLine = Static<typeof AudienceLine>;

export const AudienceCreated = Type.Object(
  {
    id: Type.String({ description: 'what a notification names as the `list` of its audience' }),
    members: Type.Integer({ description: 'without repetitions' }),
  },
  { $id: 'AudienceCreated' },
);
export type AudienceCreated = Static<typeof AudienceCreated>;
