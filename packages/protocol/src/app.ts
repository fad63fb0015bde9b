import { Type, type Static } from 'typebox';
import { DormancySettings } from './dormancy.ts';

const FOUR_WEEKS_SECONDS = 2_419_200;

/** What an app's owner decides about it. */
const SETTINGS = {
  name: Type.String({
    minLength: 1,
    maxLength: 100,
    pattern: '\\S',
    description: 'Stands in where a notification has no title',
  }),
  allowed_origins: Type.Array(Type.String({ maxLength: 255 }), {
    maxItems: 100,
    description: 'Web origins that may use the publishable key, scheme, host and port; * for any',
  }),
  default_ttl_seconds: Type.Integer({
    minimum: 0,
    maximum: FOUR_WEEKS_SECONDS,
    description: 'How long a notification is tried that says nothing about it',
  }),
  user_bound_ttl_ceiling_seconds: Type.Integer({
    minimum: 1,
    maximum: FOUR_WEEKS_SECONDS,
    description: 'How long at most, where the content is meant for one user',
  }),
  account_mode: Type.Enum(['exclusive', 'multi'], {
    description: 'How many users may be signed in on one installation: one, or several',
  }),
  identity: Type.Enum(['required', 'off'], {
    description: 'off: everybody is who they say they are; test apps only',
  }),
  static_signatures: Type.Boolean({
    description: 'Whether an HMAC of the user id may stand in for an assertion',
  }),
  jwks_url: Type.Union([Type.String({ maxLength: 2_048 }), Type.Null()], {
    description: 'Address (TLS) of a JSON Web Key Set that vouches for users, or null',
  }),
  dormancy: DormancySettings,
  takeover: Type.Enum(['nonce', 'challenge'], {
    description:
      'How an installation without a newer assertion gets a token that another one holds',
  }),
};

export const AppSettings = Type.Object(SETTINGS);
export type AppSettings = Static<typeof AppSettings>;

/** Settings to change; what is left out stays. */
export const AppInput = Type.Partial(Type.Object(SETTINGS, { additionalProperties: false }), {
  $id: 'AppInput',
  additionalProperties: false,
});
export type AppInput = Static<typeof AppInput>;

export const AppAnswer = Type.Object(
  {
    id: Type.String({ description: 'What assertions name as "aud"' }),
    environment: Type.Enum(['live', 'test']),
    ...SETTINGS,
    warnings: Type.Array(Type.String(), {
      description: 'What is open to abuse as it is set; empty for an app that is safe',
    }),
  },
  { $id: 'App' },
);
export type AppAnswer = Static<typeof AppAnswer>;

export const VapidKeyAnswer = Type.Object(
  {
    application_server_key: Type.String({
      description:
        'For `pushManager.subscribe()`, and to be named with the subscription; base64url',
    }),
  },
  { $id: 'VapidKey' },
);
export type VapidKeyAnswer = Static<typeof VapidKeyAnswer>;

/** The settings after a change, and what the change ended. */
export const AppChangeAnswer = Type.Object(
  {
    ...AppAnswer.properties,
    ended: Type.Optional(
      Type.Object(
        { installations: Type.Integer(), links: Type.Integer() },
        {
          description:
            'Who was signed out by a switch to exclusive: installations with several users, and ' +
            'how many sign-ins that were; with dry_run, who would be',
        },
      ),
    ),
    retired_keys: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'The "kid" of each shared secret that was retired, because static signatures were ' +
          'switched off; with dry_run, of each that would be',
      }),
    ),
  },
  { $id: 'AppChange' },
);
export type AppChangeAnswer = Static<typeof AppChangeAnswer>;
