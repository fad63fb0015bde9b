import { Type, type Static } from 'typebox';

const closed = { additionalProperties: false } as const;

export const InstallationId = Type.String({
  pattern: '^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$',
  description: 'A UUID that the client makes and keeps until it is uninstalled',
});

/** A sequence: counts up with every change the client makes, persisted before it is sent. */
export const Sequence = Type.Integer({ minimum: 0, maximum: 2 ** 48 });

const Nullable = <T extends ReturnType<typeof Type.String>>(schema: T) =>
  Type.Union([schema, Type.Null()]);

const ApnsToken = Type.Object(
  {
    provider: Type.Literal('apns'),
    value: Type.String({ minLength: 1, maxLength: 1024, description: 'hex digits' }),
    environment: Type.Optional(Type.Enum(['production', 'sandbox'])),
    topic: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  },
  closed,
);
const FcmToken = Type.Object(
  {
    provider: Type.Literal('fcm'),
    kind: Type.Optional(Type.Enum(['token', 'fid'])),
    value: Type.String({ minLength: 1, maxLength: 4096 }),
    project: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  },
  closed,
);
const WebPushToken = Type.Object(
  {
    provider: Type.Literal('webpush'),
    endpoint: Type.String({ minLength: 1, maxLength: 2048 }),
    keys: Type.Object(
      { p256dh: Type.String({ maxLength: 128 }), auth: Type.String({ maxLength: 64 }) },
      closed,
    ),
    application_server_key: Type.Optional(
      Type.String({
        maxLength: 128,
        description:
          'What the subscription was made with (`subscription.options.applicationServerKey`), in ' +
          "base64url; the app's newest key unless given",
      }),
    ),
  },
  closed,
);
const ExpoToken = Type.Object(
  { provider: Type.Literal('expo'), value: Type.String({ minLength: 1, maxLength: 255 }) },
  closed,
);
const HmsToken = Type.Object(
  {
    provider: Type.Literal('hms'),
    kind: Type.Optional(
      Type.Enum(['android', 'harmony'], {
        description: '`harmony` for HarmonyOS NEXT (5 and later); `android` unless given',
      }),
    ),
    value: Type.String({ minLength: 1, maxLength: 4096 }),
  },
  closed,
);

/** What a provider gave the installation, by provider. */
export const TokenInput = Type.Union([ApnsToken, FcmToken, WebPushToken, ExpoToken, HmsToken], {
  description: 'APNs, FCM, Web Push, Expo or HMS; told apart by `provider`',
});
export type TokenInput = Static<typeof TokenInput>;

const UserInput = Type.Object(
  {
    id: Type.String({ description: "The customer's own user id" }),
    // No bound here: too long a proof is a bad proof, which still signs out who was there before.
    assertion: Type.Optional(Type.String()),
    signature: Type.Optional(Type.String({ maxLength: 128 })),
  },
  closed,
);

const Tags = Type.Record(
  Type.String({ pattern: '^[A-Za-z0-9_.:-]{1,64}$' }),
  Type.String({ maxLength: 256 }),
  { maxProperties: 50, additionalProperties: false },
);

const DeviceInput = Type.Object(
  {
    platform: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 32 }))),
    vendor_id: Type.Optional(Nullable(Type.String({ minLength: 1, maxLength: 255 }))),
    label: Type.Optional(Nullable(Type.String({ maxLength: 255 }))),
    model: Type.Optional(Nullable(Type.String({ maxLength: 255 }))),
    os_version: Type.Optional(Nullable(Type.String({ maxLength: 64 }))),
    app_version: Type.Optional(Nullable(Type.String({ maxLength: 64 }))),
    sdk_version: Type.Optional(Nullable(Type.String({ maxLength: 64 }))),
    locale: Type.Optional(Nullable(Type.String({ maxLength: 35 }))),
    time_zone: Type.Optional(Nullable(Type.String({ maxLength: 64 }))),
  },
  closed,
);

const TokenError = Type.Object(
  {
    code: Type.String({
      minLength: 1,
      maxLength: 64,
      description: "the system's own name for it, such as `SERVICE_NOT_AVAILABLE`",
    }),
    detail: Type.Optional(Type.String({ maxLength: 500 })),
  },
  closed,
);

/** A registration packet. What is left out stays; null clears. */
export const InstallationInput = Type.Object(
  {
    seq: Type.Optional(Sequence),
    token: Type.Optional(Type.Union([TokenInput, Type.Null()])),
    user: Type.Optional(
      Type.Union([UserInput, Type.Null()], {
        description: 'Who is signed in, or null for nobody; exclusive apps',
      }),
    ),
    users: Type.Optional(
      Type.Array(UserInput, {
        maxItems: 20,
        description: 'All who are signed in; apps whose account_mode is multi',
      }),
    ),
    permission: Type.Optional(
      Type.Union([
        Type.Enum(['granted', 'provisional', 'ephemeral', 'denied', 'default']),
        Type.Null(),
      ]),
    ),
    device: Type.Optional(DeviceInput),
    tags: Type.Optional(Type.Union([Tags, Type.Null()])),
    device_tags: Type.Optional(Type.Union([Tags, Type.Null()])),
    token_error: Type.Optional(
      Type.Union([TokenError, Type.Null()], {
        description: 'Why the system gave the app no token; null once it did',
      }),
    ),
    takeover: Type.Optional(Type.String({ maxLength: 256 })),
  },
  { $id: 'InstallationInput', additionalProperties: false },
);
export type InstallationInput = Static<typeof InstallationInput>;

const Time = Type.String({ format: 'date-time' });

const StoredToken = Type.Object({
  provider: Type.String(),
  masked: Type.String({ description: 'the first eight hex digits of its SHA-256' }),
  environment: Type.Optional(Type.String()),
  topic: Type.Optional(Type.String()),
  kind: Type.Optional(Type.String()),
  project: Type.Optional(Type.String()),
  status: Type.String(),
  status_code: Nullable(Type.String()),
  status_at: Nullable(Time),
  confirmed_at: Time,
  changed_at: Time,
});

const Sequences = Type.Object({
  token: Type.Union([Sequence, Type.Null()]),
  user: Type.Union([Sequence, Type.Null()]),
  device: Type.Union([Sequence, Type.Null()]),
  preferences: Type.Union([Sequence, Type.Null()]),
  topics: Type.Union([Sequence, Type.Null()]),
});

const PreferencesFields = {
  mode: Type.Enum(['on', 'off', 'only_this_device']),
  muted_until: Nullable(Time),
  categories: Type.Record(Type.String({ pattern: '^[A-Za-z0-9_.-]{1,64}$' }), Type.Boolean(), {
    maxProperties: 100,
    additionalProperties: false,
  }),
};

const SignedInUser = Type.Object({ id: Type.String(), linked_at: Time });

/** What the registry holds for an installation. */
export const Installation = Type.Object(
  {
    id: InstallationId,
    status: Type.String(),
    user: Type.Optional(Type.Union([SignedInUser, Type.Null()], { description: 'Exclusive apps' })),
    users: Type.Optional(
      Type.Array(SignedInUser, { description: 'Apps whose account_mode is multi' }),
    ),
    token: Type.Union([StoredToken, Type.Null()]),
    token_error: Type.Union([
      Type.Object({ code: Type.String(), detail: Nullable(Type.String()) }),
      Type.Null(),
    ]),
    permission: Nullable(Type.String()),
    device: Type.Record(Type.String(), Nullable(Type.String())),
    tags: Type.Record(Type.String(), Type.String()),
    device_tags: Type.Record(Type.String(), Type.String()),
    preferences: Type.Object(PreferencesFields),
    topics: Type.Array(Type.Object({ topic: Type.String(), scope: Type.String() })),
    seq: Sequences,
    created_at: Time,
    updated_at: Time,
    last_seen_at: Time,
    dormant_since: Type.Optional(Nullable(Time)),
    last_user: Type.Optional(
      Type.Union([
        Type.Object({ id: Nullable(Type.String()), until: Time, ended_by: Type.String() }),
        Type.Null(),
      ]),
    ),
    last_accepted_on: Type.Optional(Nullable(Type.String())),
    last_failure: Type.Optional(
      Type.Union([Type.Object({ code: Type.String(), at: Time }), Type.Null()]),
    ),
    failures_in_a_row: Type.Optional(Type.Integer()),
  },
  { $id: 'Installation' },
);
export type Installation = Static<typeof Installation>;

const GroupFlags = Type.Object({
  token: Type.Optional(Type.Boolean()),
  user: Type.Optional(Type.Boolean()),
  device: Type.Optional(Type.Boolean()),
});

/** What became of each group of a registration packet, and the state that is stored now. */
export const SyncAnswer = Type.Object(
  {
    applied: GroupFlags,
    reason: Type.Record(Type.String(), Type.String(), {
      description:
        'for each group that does not apply: "superseded", a newer packet came first; "moved", the token went elsewhere since, and a packet with a higher "seq" claims it',
    }),
    seq: Sequences,
    installation: Type.Ref('Installation'),
  },
  { $id: 'SyncAnswer' },
);

/** What became of a change that is ordered by its own sequence. */
export const Applied = Type.Object(
  {
    applied: Type.Boolean({ description: 'false when a newer request came first' }),
    seq: Type.Union([Sequence, Type.Null()]),
  },
  { $id: 'Applied' },
);

/** What became of a change of preferences, and what is stored now. */
export const PreferencesAnswer = Type.Object(
  { ...Applied.properties, preferences: Type.Object(PreferencesFields) },
  { $id: 'PreferencesAnswer' },
);

export const ReceiptsAnswer = Type.Object(
  { stored: Type.Integer(), ignored: Type.Integer() },
  { $id: 'ReceiptsAnswer' },
);

export const PreferencesInput = Type.Object(
  {
    mode: Type.Optional(PreferencesFields.mode),
    muted_until: Type.Optional(PreferencesFields.muted_until),
    categories: Type.Optional(PreferencesFields.categories),
  },
  { $id: 'PreferencesInput', additionalProperties: false },
);
export type PreferencesInput = Static<typeof PreferencesInput>;

export const TopicInput = Type.Object(
  {
    scope: Type.Enum(['device', 'user']),
    user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
  },
  { $id: 'TopicInput', additionalProperties: false },
);
export type TopicInput = Static<typeof TopicInput>;

export const PurposeTokenInput = Type.Object(
  {
    value: Type.String({ minLength: 1, maxLength: 1024 }),
    environment: Type.Optional(Type.Enum(['production', 'sandbox'])),
    topic: Type.Optional(Type.String({ minLength: 1, maxLength: 255 })),
    activity_id: Type.Optional(Type.String({ maxLength: 255 })),
  },
  { $id: 'PurposeTokenInput', additionalProperties: false },
);
export type PurposeTokenInput = Static<typeof PurposeTokenInput>;

export const ReceiptsInput = Type.Object(
  {
    receipts: Type.Array(
      Type.Object(
        {
          notification_id: Type.String(),
          kind: Type.Enum(['displayed', 'opened', 'dismissed']),
          at: Time,
        },
        closed,
      ),
      { minItems: 1, maxItems: 100 },
    ),
  },
  { $id: 'ReceiptsInput', additionalProperties: false },
);
export type ReceiptsInput = Static<typeof ReceiptsInput>;
