import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  importJWK,
  jwtVerify,
  type JWTPayload,
} from 'jose';
import { LIMITS } from '../domain/limits.ts';
import { parseJson } from '../domain/parse-json.ts';
import { parseUserId } from '../domain/user-id.ts';
import type { IdentityKey } from '../store/apps.ts';

/** What a user assertion turned out to be worth. */
export type AssertionVerdict =
  | {
      readonly kind: 'valid';
      readonly userId: string;
      readonly issuedAt: Date;
      /**
       * The assertion's own id, or a digest of it: what makes it usable for one installation only.
       */
      readonly proofId: string;
      readonly installationId: string | null;
    }
  | { readonly kind: 'refused'; readonly why: string };

export interface AssertionRules {
  readonly audience: string;
  /** Set on the routes where an assertion has to name the installation that it is for. */
  readonly installationId: string | null;
  /** A logout is honoured with a proof that has expired since. */
  readonly allowExpired: boolean;
}

export interface AssertionKeys {
  list(): Promise<readonly IdentityKey[]>;
  /** The shared secret of an HS256 key. */
  openSecret(key: IdentityKey): Uint8Array;
}

/**
 * Verifies a user assertion: a JWT signed by the customer's back end that says who is signed in.
 * Refuses what cannot be verified with one of the app's own keys, in the algorithm that this key is
 * for.
 */
export async function verifyAssertion(
  text: string,
  rules: AssertionRules,
  keys: AssertionKeys,
  now: Date,
): Promise<AssertionVerdict> {
  if (text.length > LIMITS.assertionBytes) return refused('the assertion is too long');
  const ambiguity = ambiguityOf(text);
  if (ambiguity !== null) return refused(ambiguity);
  const header = readHeader(text);
  if (header === null) return refused('the assertion is not a signed JWT');
  const candidates = (await keys.list()).filter(
    (key) =>
      key.algorithm === header.algorithm && (header.keyId === null || key.keyId === header.keyId),
  );
  if (candidates.length === 0) {
    return refused(`no identity key of the app fits the assertion (alg ${header.algorithm})`);
  }
  let why = 'the signature does not verify';
  for (const key of candidates) {
    const result = await verifyWith(text, key, rules, keys, now);
    if (typeof result !== 'string') return checkClaims(text, result, rules, now);
    why = result;
  }
  return refused(why);
}

/** The app id that an assertion is addressed to, read without verifying anything; null if none. */
export function audienceOf(text: string): string | null {
  try {
    const { aud } = decodeJwt(text);
    return typeof aud === 'string' ? aud : null;
  } catch {
    return null;
  }
}

function refused(why: string): AssertionVerdict {
  return { kind: 'refused', why };
}

/**
 * A member that stands twice means one thing to us and maybe another to whoever signed it (RFC 7519
 * section 4 lets a reader refuse that), so header and payload are read as strictly as a request's
 * body.
 */
function ambiguityOf(text: string): string | null {
  for (const part of text.split('.').slice(0, 2)) {
    const parsed = parseJson(Buffer.from(part, 'base64url'), 'the assertion');
    if (parsed.kind === 'invalid') return parsed.detail;
  }
  return null;
}

function readHeader(
  text: string,
): { readonly algorithm: string; readonly keyId: string | null } | null {
  try {
    const { alg, kid } = decodeProtectedHeader(text);
    if (typeof alg !== 'string') return null;
    return { algorithm: alg, keyId: typeof kid === 'string' ? kid : null };
  } catch {
    return null;
  }
}

async function verifyWith(
  text: string,
  key: IdentityKey,
  rules: AssertionRules,
  keys: AssertionKeys,
  now: Date,
): Promise<JWTPayload | string> {
  const material =
    key.publicJwk === null ? keys.openSecret(key) : await importJWK(key.publicJwk, key.algorithm);
  try {
    const { payload } = await jwtVerify(text, material, {
      algorithms: [key.algorithm],
      audience: rules.audience,
      clockTolerance: rules.allowExpired ? Number.MAX_SAFE_INTEGER : LIMITS.assertionSkewSeconds,
      currentDate: now,
      requiredClaims: ['sub', 'aud', 'iat', 'exp'],
    });
    return payload;
  } catch (error) {
    if (error instanceof errors.JOSEError) return error.message;
    throw error;
  }
}

function checkClaims(
  text: string,
  payload: JWTPayload,
  rules: AssertionRules,
  now: Date,
): AssertionVerdict {
  const { sub, iat, exp, jti } = payload;
  if (Array.isArray(payload.aud)) return refused('"aud" has to be one string');
  if (typeof iat !== 'number' || typeof exp !== 'number') {
    return refused('"iat" and "exp" have to be numbers');
  }
  if (exp - iat > LIMITS.assertionLifetimeSeconds) {
    return refused(`"exp" is more than ${LIMITS.assertionLifetimeSeconds} seconds after "iat"`);
  }
  if (iat > now.getTime() / 1000 + LIMITS.assertionSkewSeconds) {
    return refused('"iat" lies in the future; check the clock of the issuer');
  }
  const userId = typeof sub === 'string' ? parseUserId(sub) : null;
  if (userId === null) return refused('"sub" is not a usable user id');
  const iid = payload['iid'];
  const installationId = typeof iid === 'string' ? iid.toLowerCase() : null;
  if (rules.installationId !== null && installationId !== rules.installationId) {
    return refused('"iid" does not name this installation');
  }
  const proofId = typeof jti === 'string' && jti !== '' ? jti : digest(text);
  return { kind: 'valid', userId, issuedAt: new Date(iat * 1000), proofId, installationId };
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
