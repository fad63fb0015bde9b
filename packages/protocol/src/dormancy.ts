import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;
const Days = Type.Integer({ minimum: 1, maximum: 3_650 });

const Thresholds = Type.Object(
  {
    warn_days: Type.Optional(Days),
    dormant_days: Type.Optional(Days),
    unless_accepted: Type.Optional(
      Type.Boolean({
        description: 'Spares whom a provider accepted a push for within `dormant_days`',
      }),
    ),
  },
  closed,
);

const Decider = Type.Enum(['manual', 'automatic']);

/** What an app does about installations that keep silent. */
export const DormancySettings = Type.Object(
  {
    platforms: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,32}$' }), Thresholds, {
        maxProperties: 20,
        additionalProperties: false,
        description: 'By platform; "default" for those that are not named',
      }),
    ),
    apply: Type.Optional(Decider),
    apply_after_days: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 28,
        description: 'How long a review waits for a person before `automatic` applies it',
      }),
    ),
    send_transactional: Type.Optional(
      Type.Boolean({ description: 'Whether the dormant get what is not a campaign' }),
    ),
    purge: Type.Optional(Decider),
  },
  { ...closed, description: 'What becomes of silent installations; what is left out is default' },
);

const Instant = Type.String({ format: 'date-time' });
const Ids = Type.Array(Type.String());
const Count = Type.Integer({ minimum: 0 });

const Platform = Type.Object({
  installations: Count,
  silent: Type.Integer({ description: 'past the warning, and not to become dormant' }),
  dormant: Type.Integer({ description: 'would become dormant' }),
  dormant_accepting: Type.Integer({
    description: 'of those, how many a provider accepted a push for since the last contact',
  }),
  already_dormant: Count,
  purge: Type.Object({ retired: Count, anonymous: Count, removed: Count }),
  samples: Type.Object({ silent: Ids, dormant: Ids, purge: Ids }),
});

/** What a clean-up would do, counted before anything is done. */
export const Review = Type.Object(
  {
    id: Type.String(),
    state: Type.Enum(['counting', 'open', 'applying', 'applied', 'superseded']),
    progress: Type.Integer({ description: 'percent of the counting, or of the applying' }),
    created_at: Instant,
    totals: Type.Object({ silent: Count, dormant: Count, purge: Count }),
    platforms: Type.Record(Type.String(), Platform),
    policy: DormancySettings,
    applied_by: Type.Union([Type.String(), Type.Null()]),
    applied_at: Type.Union([Instant, Type.Null()]),
    made_dormant: Count,
    purged: Count,
    finished_at: Type.Union([Instant, Type.Null()]),
  },
  { $id: 'Review' },
);
export type Review = Static<typeof Review>;

/** Agreement to a review: the totals that were seen, for each half that is to be done. */
export const ReviewApproval = Type.Object(
  { dormant: Type.Optional(Count), purge: Type.Optional(Count) },
  { $id: 'ReviewApproval', minProperties: 1, ...closed },
);
export type ReviewApproval = Static<typeof ReviewApproval>;
