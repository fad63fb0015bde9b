import { Type, type Static } from 'typebox';

/** The body that home-grown clients send; fields that are not listed are ignored. */
export const RegisterTokenInput = Type.Object(
  {
    token: Type.String({ minLength: 1, maxLength: 4096 }),
    userId: Type.Optional(
      Type.Union([
        Type.String(),
        // Beyond these bounds a JSON number is rounded to somebody else's id.
        Type.Integer({
          minimum: Number.MIN_SAFE_INTEGER,
          maximum: Number.MAX_SAFE_INTEGER,
          description: 'its decimal form',
        }),
        Type.Null(),
      ]),
    ),
    platform: Type.Optional(Type.String({ maxLength: 32 })),
    deviceId: Type.String({
      minLength: 1,
      maxLength: 255,
      description: 'any stable string of the device; await getUniqueId()',
    }),
    appVersion: Type.Optional(Type.String({ maxLength: 64 })),
    timestamp: Type.Optional(Type.Number()),
    provider: Type.Optional(Type.Enum(['apns', 'fcm', 'expo', 'hms'])),
  },
  { $id: 'RegisterTokenInput', additionalProperties: true },
);
export type RegisterTokenInput = Static<typeof RegisterTokenInput>;

export const DeleteTokenInput = Type.Object(
  { token: Type.String({ minLength: 1, maxLength: 4096 }) },
  { $id: 'DeleteTokenInput', additionalProperties: true },
);
export type DeleteTokenInput = Static<typeof DeleteTokenInput>;

export const SimpleAnswer = Type.Object({ success: Type.Literal(true) }, { $id: 'SimpleAnswer' });
