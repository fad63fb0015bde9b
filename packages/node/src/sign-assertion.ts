import { createHmac, randomUUID, sign } from 'node:crypto';
import {
  toSigningKey,
  type KeyMaterial,
  type SigningAlgorithm,
  type SigningKey,
} from './signing-key.ts';

export interface AssertionFacts {
  /** Who is signed in, as your own session says: never what the request asks for. */
  readonly userId: string;
  /**
   * Where: the id that the app's SDK gives. Null for the simple routes, whose clients have none.
   */
  readonly installationId: string | null;
  /** `app_…`, of `homing.app.get()`. */
  readonly appId: string;
  readonly key: KeyMaterial;
  /** The `kid` under which the key was registered; without it, all live keys are tried. */
  readonly keyId?: string;
  /** What the key has to be for; default: whatever it is for. */
  readonly algorithm?: SigningAlgorithm;
  /** How long it can be used, 1 to 600; default 300. */
  readonly expiresInSeconds?: number;
}

const MAX_SECONDS = 600;

/**
 * The proof that a user is signed in on an installation, as docs/identity.md says: a JWT that
 * serves one packet. Make a new one for each time the app asks. Throws a `TypeError` for what no
 * server would take.
 */
export function signAssertion(facts: AssertionFacts): string {
  const { userId, installationId, appId, keyId, expiresInSeconds = 300 } = facts;
  const signingKey = toSigningKey(facts.key);
  const { algorithm } = signingKey;
  if (facts.algorithm !== undefined && facts.algorithm !== algorithm) {
    throw new TypeError(`the key is for ${algorithm}, and ${facts.algorithm} is wanted`);
  }
  requireText('userId', userId);
  requireText('appId', appId);
  if (installationId !== null) requireText('installationId', installationId);
  if (
    !Number.isInteger(expiresInSeconds) ||
    expiresInSeconds < 1 ||
    expiresInSeconds > MAX_SECONDS
  ) {
    throw new TypeError(`expiresInSeconds has to be a whole number from 1 to ${MAX_SECONDS}`);
  }
  const iat = Math.floor(Date.now() / 1_000);
  const header = { alg: algorithm, typ: 'JWT', ...(keyId !== undefined && { kid: keyId }) };
  const claims = {
    sub: userId,
    aud: appId,
    ...(installationId !== null && { iid: installationId }),
    iat,
    exp: iat + expiresInSeconds,
    jti: randomUUID(),
  };
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${signText(text, signingKey).toString('base64url')}`;
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signText(text: string, { algorithm, key }: SigningKey): Buffer {
  switch (algorithm) {
    case 'ES256':
      // The two numbers side by side (RFC 7518, 3.4), and not the DER that is the default.
      return sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    case 'EdDSA':
      return sign(null, Buffer.from(text), key);
    case 'RS256':
      return sign('sha256', Buffer.from(text), key);
    case 'HS256':
      return createHmac('sha256', key).update(text).digest();
  }
}

function requireText(name: string, value: string): void {
  if (typeof value !== 'string' || value.trim() === '') {
    throw new TypeError(`${name} has to be a text that is not empty`);
  }
}
