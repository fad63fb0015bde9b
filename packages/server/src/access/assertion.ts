import { Buffer } from 'node:buffer';
import { hash, type KeyObject } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify, type JWTPayload } from 'jose';
import { ASSERTION_ALGORITHMS, type AssertionAlgorithm } from '../domain/identity-jwk.ts';
import { LIMITS } from '../domain/limits.ts';
import { parseJson } from '../domain/parse-json.ts';
import { parseUserId } from '../domain/user-id.ts';

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
      /** Whom it is for; null when it does not say, which the simple routes let pass. */
      readonly installationId: string | null;
    }
  | { readonly kind: 'refused'; readonly why: string }
  /** Good but for its age: it tells what was once, for instance to a page that was left open. */
  | {
      readonly kind: 'expired';
      readonly why: string;
      readonly userId: string;
      readonly issuedAt: Date;
      readonly proofId: string;
    }
  /** A key that might verify it cannot be had at the moment. */
  | { readonly kind: 'unavailable'; readonly retryAfterSeconds: number };

export interface AssertionRules {
  readonly audience: string;
  /** Set on the routes where an assertion has to name the installation that it is for. */
  readonly installationId: string | null;
  /** A logout is honoured with a proof that has expired since. */
  readonly allowExpired: boolean;
}

export interface AssertionKeys {
  /** The app's keys of this algorithm that may have signed; all of them when no id is named. */
  candidates(algorithm: AssertionAlgorithm, keyId: string | null): Promise<CandidateKeys>;
  /** Asked when none of those had signed: what the app published since, if that can be told now. */
  newcomers(algorithm: AssertionAlgorithm, keyId: string | null): Promise<CandidateKeys>;
}

export interface CandidateKeys {
  readonly keys: readonly VerifyingKey[];
  /** Null when these are all; otherwise when to ask again for those that cannot be had now. */
  readonly retryAfterSeconds: number | null;
}

export interface VerifyingKey {
  /** Null for a published key that has none. */
  readonly keyId: string | null;
  readonly algorithm: AssertionAlgorithm;
  /** A public key, or the shared secret of HS256. */
  readonly material: KeyObject | Uint8Array;
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
  if (header === null) {
    return refused(`the assertion is no JWT signed by ${ASSERTION_ALGORITHMS.join(', ')}`);
  }
  const { algorithm, keyId } = header;
  const candidates = await keys.candidates(algorithm, keyId);
  const verdict = await verifyWithAny(text, candidates.keys, rules, now);
  if (verdict !== null) return verdict;
  const isNamed = keyId !== null && candidates.keys.some((key) => key.keyId === keyId);
  if (isNamed) return refused('the signature is not that of the key which "kid" names');
  const newcomers = await keys.newcomers(algorithm, keyId);
  const later = await verifyWithAny(text, newcomers.keys, rules, now);
  if (later !== null) return later;
  const { retryAfterSeconds } = newcomers;
  return retryAfterSeconds === null
    ? refused(`no identity key of the app fits the assertion (alg ${algorithm})`)
    : { kind: 'unavailable', retryAfterSeconds };
}

/** Null when none of the keys has signed the assertion. */
async function verifyWithAny(
  text: string,
  keys: readonly VerifyingKey[],
  rules: AssertionRules,
  now: Date,
): Promise<AssertionVerdict | null> {
  for (const key of keys) {
    const result = await verifyWith(text, key, rules, now);
    if (result.kind === 'verified') return checkClaims(text, result.payload, rules, now);
    if (result.kind === 'expired') {
      const verdict = checkClaims(text, result.payload, rules, now);
      return verdict.kind === 'valid' ? { ...verdict, kind: 'expired', why: result.why } : verdict;
    }
    if (!result.isOfAnotherKey) return refused(result.why);
  }
  return null;
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
 * What could be read in two ways. A text has to be three parts of base64url, each as an encoder
 * writes it: a decoder that forgives would give one assertion many faces. A member that stands
 * twice means one thing to us and maybe another to whoever signed it (RFC 7519 section 4 lets a
 * reader refuse that), so header and payload are read as strictly as a request's body.
 */
function ambiguityOf(text: string): string | null {
  const parts = text.split('.');
  if (parts.length !== 3 || !parts.every(isCanonical)) {
    return 'the assertion is not three parts of base64url';
  }
  for (const part of parts.slice(0, 2)) {
    const parsed = parseJson(Buffer.from(part, 'base64url'), 'the assertion');
    if (parsed.kind === 'invalid') return parsed.detail;
  }
  return null;
}

function isCanonical(part: string): boolean {
  return part !== '' && Buffer.from(part, 'base64url').toString('base64url') === part;
}

interface AssertionHeader {
  readonly algorithm: AssertionAlgorithm;
  readonly keyId: string | null;
}

/** They say that the rest is to be read otherwise than a plain JWT (RFC 7515, 7516 and 7797). */
const READING_MEMBERS = ['crit', 'b64', 'zip', 'enc'];

/** Null for a header that no key of ours could have signed under. */
function readHeader(text: string): AssertionHeader | null {
  try {
    const protectedHeader = decodeProtectedHeader(text);
    if (READING_MEMBERS.some((member) => member in protectedHeader)) return null;
    const { alg, kid } = protectedHeader;
    const algorithm = ASSERTION_ALGORITHMS.find((known) => known === alg);
    if (algorithm === undefined) return null;
    if (kid !== undefined && typeof kid !== 'string') return null;
    return { algorithm, keyId: kid ?? null };
  } catch {
    return null;
  }
}

type KeyTrial =
  | { readonly kind: 'verified'; readonly payload: JWTPayload }
  | { readonly kind: 'expired'; readonly payload: JWTPayload; readonly why: string }
  | { readonly kind: 'failed'; readonly why: string; readonly isOfAnotherKey: boolean };

async function verifyWith(
  text: string,
  key: VerifyingKey,
  rules: AssertionRules,
  now: Date,
): Promise<KeyTrial> {
  try {
    const { payload } = await jwtVerify(text, key.material, {
      algorithms: [key.algorithm],
      audience: rules.audience,
      clockTolerance: rules.allowExpired ? Number.MAX_SAFE_INTEGER : LIMITS.assertionSkewSeconds,
      currentDate: now,
      requiredClaims: ['sub', 'aud', 'iat', 'exp'],
    });
    return { kind: 'verified', payload };
  } catch (error) {
    if (!(error instanceof errors.JOSEError)) throw error;
    if (error instanceof errors.JWTExpired) {
      return { kind: 'expired', payload: error.payload, why: error.message };
    }
    const isOfAnotherKey = error instanceof errors.JWSSignatureVerificationFailed;
    return { kind: 'failed', why: error.message, isOfAnotherKey };
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
  if (iid !== undefined && typeof iid !== 'string') return refused('"iid" has to be a text');
  const installationId = iid?.toLowerCase() ?? null;
  if (rules.installationId !== null && installationId !== rules.installationId) {
    return refused('"iid" does not name this installation');
  }
  const proofId = typeof jti === 'string' && jti !== '' ? shortened(jti) : digestOfSigned(text);
  return { kind: 'valid', userId, issuedAt: new Date(iat * 1000), proofId, installationId };
}

/** The assertion's own id, or a digest of one that is too long to be looked up. */
function shortened(jti: string): string {
  return jti.length <= LIMITS.assertionIdCharacters ? jti : digestOf(jti);
}

/** Of what was signed: many signatures fit one text, and make no other assertion of it. */
function digestOfSigned(text: string): string {
  return digestOf(text.slice(0, text.lastIndexOf('.')));
}

function digestOf(text: string): string {
  return hash('sha256', text, 'base64url');
}
