import { Type, type Static } from 'typebox';
import { Page } from './paging.ts';

const closed = { additionalProperties: false } as const;
const Instant = Type.String({ format: 'date-time' });
const nullable = <S extends Parameters<typeof Type.Union>[0][number]>(schema: S) =>
  Type.Union([schema, Type.Null()]);

const Provider = Type.Enum(['apns', 'fcm', 'webpush', 'expo', 'hms']);
const Name = Type.String({ maxLength: 100, description: 'For people; empty for none' });
const Settings = Type.Record(Type.String(), Type.Unknown(), {
  description: 'What the page of the provider in the documentation lists; secrets never come back',
});

/** How fast a credential may be used. */
const RateInput = Type.Object(
  {
    per_minute: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1 }), Type.Null()], {
        description: "Pushes in a minute; null for the provider's own figure, 0 for no limit",
      }),
    ),
    ramp_seconds: Type.Optional(
      Type.Union([Type.Integer({ minimum: 0, maximum: 86_400 }), Type.Null()], {
        description: "How long the rate grows after a quiet time; null for the provider's own",
      }),
    ),
  },
  closed,
);

/** A credential to be added. */
export const CredentialInput = Type.Object(
  {
    provider: Provider,
    name: Type.Optional(Name),
    rate: Type.Optional(RateInput),
    settings: Settings,
  },
  { $id: 'CredentialInput', ...closed },
);
export type CredentialInput = Static<typeof CredentialInput>;

/** Settings of which the provider is asked what it thinks, before they are added. */
export const CredentialDraft = Type.Object(
  { provider: Provider, settings: Settings },
  { $id: 'CredentialDraft', ...closed },
);
export type CredentialDraft = Static<typeof CredentialDraft>;

/** What may be changed in its place; for everything else a new credential is added. */
export const CredentialPatch = Type.Object(
  { name: Type.Optional(Name), rate: Type.Optional(RateInput) },
  { $id: 'CredentialPatch', ...closed },
);
export type CredentialPatch = Static<typeof CredentialPatch>;

export const CredentialAnswer = Type.Object(
  {
    id: Type.String({ description: 'crd_…' }),
    provider: Provider,
    name: Type.String(),
    project: Type.String({ description: 'What the provider counts by: a team, a project' }),
    environments: Type.Array(Type.String(), { description: 'APNs only' }),
    topics: Type.Array(Type.String(), { description: 'APNs only: bundle ids' }),
    settings: Type.Record(Type.String(), Type.Unknown(), { description: 'Without secrets' }),
    rate: Type.Object({
      per_minute: nullable(Type.Integer()),
      ramp_seconds: nullable(Type.Integer()),
    }),
    status: Type.Enum(['active', 'stopped', 'retired']),
    stopped: Type.Union(
      [
        Type.Object({ code: Type.String(), since: Instant, meaning: nullable(Type.String()) }),
        Type.Null(),
      ],
      { description: 'Why the provider refuses it; what waits for it goes on when it works again' },
    ),
    created_at: Instant,
    retired_at: nullable(Instant),
    expires_at: Type.Union([Instant, Type.Null()], {
      description: 'Null where it does not expire, or nobody can tell',
    }),
    verified_at: Type.Union([Instant, Type.Null()], {
      description: 'When the provider last took it, being asked by `verify`',
    }),
    last_accepted_on: Type.Union([Type.String({ format: 'date' }), Type.Null()], {
      description: 'The day on which the provider last took a push with it',
    }),
  },
  { $id: 'Credential' },
);
export type CredentialAnswer = Static<typeof CredentialAnswer>;

export const CredentialList = Type.Object(
  { data: Type.Array(CredentialAnswer), page: Page },
  { $id: 'CredentialList' },
);
export type CredentialList = Static<typeof CredentialList>;

/** What a provider said about a credential. */
export const CredentialVerification = Type.Object(
  {
    verified: Type.Union([Type.Boolean(), Type.Null()], {
      description:
        'Whether the provider took it for all that it is for; null where nobody can be asked ' +
        'without reaching a phone',
    }),
    findings: Type.Array(
      Type.Object({
        weight: Type.Enum(['wrong', 'unclear', 'notice']),
        code: Type.String({ description: 'Stable; docs/providers lists them' }),
        meaning: Type.String(),
        fix: Type.String(),
        field: Type.Union([Type.String(), Type.Null()], {
          description: 'The setting at fault; null where it is none of them',
        }),
        answer: Type.Union([Type.String(), Type.Null()], { description: "The provider's word" }),
      }),
    ),
    clock_ahead_seconds: Type.Union([Type.Integer(), Type.Null()], {
      description: "How far the server's clock is ahead of the provider's",
    }),
  },
  { $id: 'CredentialVerification' },
);
export type CredentialVerification = Static<typeof CredentialVerification>;
