import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** The algorithms of user assertions, each for one kind of key. */
export const ASSERTION_ALGORITHMS = ['ES256', 'EdDSA', 'RS256', 'HS256'] as const;
export type AssertionAlgorithm = (typeof ASSERTION_ALGORITHMS)[number];
export type PublicKeyAlgorithm = Exclude<AssertionAlgorithm, 'HS256'>;

export type IdentityJwk =
  | {
      readonly kind: 'key';
      /** The key's own "kid", or null when it has none. */
      readonly keyId: string | null;
      readonly algorithm: PublicKeyAlgorithm;
      /** What makes the key, and nothing else that came with it. */
      readonly publicJwk: Readonly<Record<string, string>>;
      readonly publicKey: KeyObject;
    }
  | { readonly kind: 'refused'; readonly member: string | null; readonly why: string };

interface KeyShape {
  readonly algorithm: PublicKeyAlgorithm;
  readonly crv: string | null;
  /** The members that make the key (RFC 7518 section 6, RFC 8037 section 2). */
  readonly members: readonly string[];
}

const SHAPES: Readonly<Record<string, KeyShape>> = {
  EC: { algorithm: 'ES256', crv: 'P-256', members: ['kty', 'crv', 'x', 'y'] },
  OKP: { algorithm: 'EdDSA', crv: 'Ed25519', members: ['kty', 'crv', 'x'] },
  RSA: { algorithm: 'RS256', crv: null, members: ['kty', 'n', 'e'] },
};

/** RFC 7518 sections 6.2.2, 6.3.2 and 6.4; `oth` is the rest of a multi-prime RSA key. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];
/** RFC 7518 section 3.3 asks for 2048 bits; far larger ones only cost time to verify with. */
const RSA_BITS = { least: 2_048, most: 8_192 };
const RSA_EXPONENT = 65_537n;

/**
 * Reads a public key for user assertions from a JSON Web Key (RFC 7517): P-256, Ed25519 or RSA, for
 * signatures, and without any part that has to stay secret.
 */
export function parseIdentityJwk(jwk: Readonly<Record<string, unknown>>): IdentityJwk {
  const secret = SECRET_MEMBERS.find((member) => member in jwk);
  if (secret !== undefined) {
    return refused(secret, 'belongs to a private or shared key; send the public key alone');
  }
  const { kty, kid } = jwk;
  const shape = typeof kty === 'string' && Object.hasOwn(SHAPES, kty) ? SHAPES[kty] : undefined;
  if (shape === undefined) return refused('kty', 'EC (P-256), OKP (Ed25519) or RSA');
  const misfit = misfitOf(jwk, shape);
  if (misfit !== null) return misfit;
  const publicJwk = pick(jwk, shape.members);
  if (publicJwk === null) {
    return refused(null, `a key of this kind has ${shape.members.join(', ')}, each a text`);
  }
  const publicKey = importKey(publicJwk);
  if (publicKey === null) return refused(null, 'these numbers make no public key');
  if (shape.algorithm === 'RS256' && !isStrong(publicKey)) {
    return refused('n', 'an RSA key of 2048 to 8192 bits with the exponent 65537 (AQAB)');
  }
  const keyId = typeof kid === 'string' ? kid : null;
  return { kind: 'key', keyId, algorithm: shape.algorithm, publicJwk, publicKey };
}

function refused(member: string | null, why: string): IdentityJwk {
  return { kind: 'refused', member, why };
}

/** What a key says about itself has to be what it will be used for. */
function misfitOf(jwk: Readonly<Record<string, unknown>>, shape: KeyShape): IdentityJwk | null {
  const { crv, alg, use, key_ops: operations } = jwk;
  if (shape.crv !== null && crv !== shape.crv) return refused('crv', `has to be ${shape.crv}`);
  if (alg !== undefined && alg !== shape.algorithm) {
    return refused('alg', `a key of this kind is for ${shape.algorithm}`);
  }
  if (use !== undefined && use !== 'sig') return refused('use', 'has to be sig, or left out');
  if (operations === undefined) return null;
  const isForSignatures = Array.isArray(operations) && operations.includes('verify');
  return isForSignatures ? null : refused('key_ops', 'has to include verify, or be left out');
}

function pick(
  jwk: Readonly<Record<string, unknown>>,
  members: readonly string[],
): Readonly<Record<string, string>> | null {
  const entries = members.map((member) => [member, jwk[member]] as const);
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    return null;
  }
  return Object.fromEntries(entries);
}

/** Null for what is no key, such as a point that does not lie on its curve. */
function importKey(jwk: JsonWebKey): KeyObject | null {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    return null;
  }
}

function isStrong(key: KeyObject): boolean {
  const { modulusLength = 0, publicExponent } = key.asymmetricKeyDetails ?? {};
  const isLongEnough = modulusLength >= RSA_BITS.least && modulusLength <= RSA_BITS.most;
  return isLongEnough && publicExponent === RSA_EXPONENT;
}
