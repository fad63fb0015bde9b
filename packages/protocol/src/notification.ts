import { Type, type Static } from 'typebox';
import { ReasonHelp } from './reason.ts';

const closed = { additionalProperties: false } as const;
const Url = Type.String({ maxLength: 2048, pattern: '^https?://' });
const Free = Type.Record(Type.String(), Type.Unknown());

const Action = Type.Object(
  {
    id: Type.String({ minLength: 1, maxLength: 64 }),
    title: Type.String({ minLength: 1, maxLength: 128 }),
    url: Type.Optional(Url),
  },
  closed,
);

const contentFields = {
  title: Type.Optional(Type.String({ maxLength: 1024 })),
  body: Type.Optional(Type.String({ maxLength: 4096 })),
  image: Type.Optional(Url),
  url: Type.Optional(Type.String({ maxLength: 2048 })),
  data: Type.Optional(
    Type.Record(Type.String({ maxLength: 128 }), Type.String({ maxLength: 4096 }), {
      maxProperties: 64,
    }),
  ),
  actions: Type.Optional(Type.Array(Action, { maxItems: 4 })),
  badge: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 })),
  sound: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
};

export const Content = Type.Object(contentFields, closed);
export type Content = Static<typeof Content>;

/** The audiences of this version; segments and filters follow. */
export const Audience = Type.Union(
  [
    Type.Object(
      {
        users: Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
          minItems: 1,
          maxItems: 1000,
        }),
      },
      closed,
    ),
    Type.Object(
      { installations: Type.Array(Type.String(), { minItems: 1, maxItems: 1000 }) },
      closed,
    ),
    Type.Object({ everyone: Type.Unsafe<true>({ type: 'boolean', enum: [true] }) }, closed),
    Type.Object(
      {
        topics: Type.String({
          minLength: 1,
          maxLength: 1024,
          description: 'topics with &&, ||, ! and parentheses: news && !(beta || internal)',
        }),
      },
      closed,
    ),
    Type.Object({ list: Type.String({ description: 'aud_…, an uploaded list' }) }, closed),
  ],
  {
    description:
      'named users or installations, every installation, whoever subscribed, or an uploaded list',
  },
);
export type Audience = Static<typeof Audience>;

const Options = Type.Object(
  {
    ttl_seconds: Type.Optional(Type.Integer({ minimum: 0, maximum: 2_419_200 })),
    priority: Type.Optional(Type.Enum(['high', 'normal'])),
    collapse_key: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    lane: Type.Optional(
      Type.Enum(['transactional', 'bulk'], {
        description: 'transactional for who is named, bulk for every other audience',
      }),
    ),
    silent: Type.Optional(Type.Boolean()),
    purpose: Type.Optional(
      Type.Enum(['voip', 'live_activity', 'push_to_start'], {
        description: 'which tokens it goes to, instead of those for alerts; see purpose-tokens',
      }),
    ),
    activity_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description: 'with the purpose live_activity: which Live Activity',
      }),
    ),
    pace: Type.Optional(
      Type.Object(
        { per_second: Type.Integer({ minimum: 1, maximum: 1_000_000 }) },
        { ...closed, description: 'how many pushes a second go out at most, retries included' },
      ),
    ),
  },
  closed,
);

const Overrides = Type.Object(
  {
    apns: Type.Optional(Free),
    fcm: Type.Optional(Free),
    webpush: Type.Optional(Free),
    hms: Type.Optional(Free),
    expo: Type.Optional(Free),
  },
  closed,
);

/** A request to notify an audience. */
export const NotificationInput = Type.Object(
  {
    audience: Audience,
    content: Content,
    locales: Type.Optional(
      Type.Record(Type.String({ pattern: '^[A-Za-z0-9-]{2,35}$' }), Content, {
        maxProperties: 100,
        additionalProperties: false,
      }),
    ),
    variables: Type.Optional(Free),
    recipient_variables: Type.Optional(Type.Record(Type.String(), Free, { maxProperties: 1000 })),
    category: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' })),
    labels: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), Type.String({ maxLength: 256 }), {
        maxProperties: 20,
      }),
    ),
    options: Type.Optional(Options),
    overrides: Type.Optional(Overrides),
    idempotency_key: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  },
  { $id: 'NotificationInput', additionalProperties: false },
);
export type NotificationInput = Static<typeof NotificationInput>;

const Warning = Type.Object({ code: Type.String(), detail: Type.String() });

export const NotificationAccepted = Type.Object(
  {
    id: Type.String(),
    status: Type.Literal('accepted'),
    user_bound: Type.Boolean(),
    ttl_seconds: Type.Integer(),
    warnings: Type.Optional(Type.Array(Warning)),
  },
  { $id: 'NotificationAccepted' },
);
export type NotificationAccepted = Static<typeof NotificationAccepted>;

const NotificationStatus = Type.Enum(['accepted', 'sending', 'paused', 'finished', 'cancelled']);

/** How a notification stands after it was paused or resumed. */
export const NotificationStanding = Type.Object(
  { id: Type.String(), status: NotificationStatus },
  { $id: 'NotificationStanding' },
);
export type NotificationStanding = Static<typeof NotificationStanding>;

export const Cancellation = Type.Object(
  {
    id: Type.String(),
    cancelled: Type.Boolean({ description: 'false when it had finished or was cancelled before' }),
  },
  { $id: 'Cancellation' },
);
export type Cancellation = Static<typeof Cancellation>;

/** Counts by state; `expected` is the sum of all others, exactly, as soon as it is known. */
export const NotificationReport = Type.Object(
  {
    id: Type.String(),
    status: NotificationStatus,
    created_at: Type.String({ format: 'date-time' }),
    expires_at: Type.String({ format: 'date-time' }),
    finished_at: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
    user_bound: Type.Boolean(),
    category: Type.String(),
    labels: Type.Record(Type.String(), Type.String()),
    counts: Type.Object({
      expected: Type.Union([Type.Integer(), Type.Null()]),
      accepted: Type.Integer(),
      failed: Type.Integer(),
      expired: Type.Integer(),
      skipped: Type.Integer(),
      unknown: Type.Integer(),
      retrying: Type.Integer(),
      pending: Type.Integer(),
    }),
    reasons: Type.Record(Type.String(), Type.Record(Type.String(), Type.Integer())),
    possible_duplicates: Type.Integer(),
  },
  { $id: 'NotificationReport' },
);
export type NotificationReport = Static<typeof NotificationReport>;

/** One line of the stream of a notification's deliveries. */
export const Delivery = Type.Object(
  {
    installation_id: Type.String(),
    user_id: Type.Union([Type.String(), Type.Null()]),
    state: Type.String(),
    reason: Type.Union([Type.String(), Type.Null()]),
    code: Type.Union([Type.String(), Type.Null()]),
    provider: Type.Union([Type.String(), Type.Null()]),
    provider_id: Type.Union([Type.String(), Type.Null()]),
    attempts: Type.Integer(),
    possible_duplicate: Type.Boolean(),
    sent_at: Type.Union([Type.String(), Type.Null()]),
    settled_at: Type.String(),
    help: Type.Union([ReasonHelp, Type.Null()], { description: 'about `reason` and `code`' }),
  },
  { $id: 'Delivery' },
);
export type Delivery = Static<typeof Delivery>;

/** Why a user did, or did not, get a notification. */
export const Explanation = Type.Object(
  {
    notification_id: Type.String(),
    user_id: Type.String(),
    summary: Type.String(),
    installations: Type.Array(
      Type.Object({
        installation_id: Type.String(),
        label: Type.Union([Type.String(), Type.Null()]),
        state: Type.String(),
        reason: Type.Union([Type.String(), Type.Null()]),
        sentence: Type.String(),
        help: Type.Union([ReasonHelp, Type.Null()]),
        addressee_tag_acts: Type.Boolean(),
      }),
    ),
    former_installations: Type.Array(
      Type.Object({
        installation_id: Type.String(),
        ended_by: Type.String(),
        ended_at: Type.String(),
        app_version: Type.Union([Type.String(), Type.Null()]),
        sentence: Type.String(),
      }),
    ),
  },
  { $id: 'Explanation' },
);
export type Explanation = Static<typeof Explanation>;

/** What the dry run found, on the code path that a real send takes. */
export const Validation = Type.Object(
  {
    valid: Type.Boolean(),
    user_bound: Type.Boolean(),
    estimated: Type.Boolean({
      description: 'true when the audience is so large that only samples were judged',
    }),
    recipients: Type.Record(Type.String(), Type.Integer()),
    exclusions: Type.Record(Type.String(), Type.Integer()),
    payload_bytes: Type.Record(Type.String(), Type.Integer()),
    samples: Type.Array(Type.Object({ title: Type.String(), body: Type.String() })),
  },
  { $id: 'Validation' },
);
export type Validation = Static<typeof Validation>;
