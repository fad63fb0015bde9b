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

/** An uploaded list, as it can be looked up. */
export const AudienceReport = Type.Object(
  {
    id: Type.String(),
    users: Type.Integer({ description: 'how many users it names' }),
    installations: Type.Integer({ description: 'how many installations it names' }),
    has_variables: Type.Boolean({ description: 'whether it says something about its members' }),
    created_at: Type.String({ format: 'date-time' }),
    kept_until: Type.String({
      format: 'date-time',
      description: 'at least; longer where a notification is made that uses it',
    }),
  },
  { $id: 'AudienceReport' },
);
export type AudienceReport = Static<typeof AudienceReport>;
