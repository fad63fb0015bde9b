import { Type, type Static } from 'typebox';

/** `.` and `..` are taken out of a path on its way, so that no such key could ever be retired. */
export const KeyId = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: '^(?!\\.{1,2}$)[!-.0-~]+$',
  description: 'What assertions name as "kid": printable ASCII without a slash, not . or ..',
});

/** A key of the customer's back end: a public key, or a shared secret for HS256. */
export const IdentityKeyInput = Type.Union(
  [
    Type.Object(
      {
        kid: KeyId,
        public_jwk: Type.Record(Type.String(), Type.Unknown(), {
          description: 'A JSON Web Key: P-256, Ed25519 or RSA; never a private one',
        }),
      },
      { additionalProperties: false },
    ),
    Type.Object(
      {
        kid: KeyId,
        secret: Type.String({
          maxLength: 512,
          description: '32 to 256 random bytes in base64 or base64url; never shown again',
        }),
      },
      { additionalProperties: false },
    ),
  ],
  { $id: 'IdentityKeyInput' },
);
export type IdentityKeyInput = Static<typeof IdentityKeyInput>;

export const IdentityKeyAnswer = Type.Object(
  {
    kid: Type.String(),
    algorithm: Type.Enum(['ES256', 'EdDSA', 'RS256', 'HS256']),
    public_jwk: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], {
      description: 'Null for a shared secret',
    }),
    created_at: Type.String({ format: 'date-time' }),
  },
  { $id: 'IdentityKey' },
);
export type IdentityKeyAnswer = Static<typeof IdentityKeyAnswer>;

export const IdentityKeyList = Type.Object(
  { data: Type.Array(IdentityKeyAnswer) },
  { $id: 'IdentityKeyList' },
);
export type IdentityKeyList = Static<typeof IdentityKeyList>;
