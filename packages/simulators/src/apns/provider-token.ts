import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readJsonWebToken } from '../json-web-token.ts';
import type { JsonWebToken } from '../json-web-token.ts';
import type { ApnsReason } from './answers.ts';
import type { ApnsKey } from './key.ts';

/** A provider token whose signature and issuer hold. Its age is another question. */
export interface ProviderToken {
  readonly key: ApnsKey;
  readonly issuedAtSeconds: number;
}

const MAX_AGE_SECONDS = 3600;
// Clocks differ a little; how much Apple forgives is not documented.
const FUTURE_TOLERANCE_SECONDS = 60;
const RAW_SIGNATURE_BYTES = 64;
const MAX_REMEMBERED = 1000;

/** Verifies provider tokens (Apple, "Establishing a token-based connection to APNs"). */
export class ProviderTokens {
  readonly #keys: ReadonlyMap<string, { readonly key: ApnsKey; readonly publicKey: KeyObject }>;
  // One token serves an hour of pushes, and a verification costs more than the rest of a push.
  readonly #verified = new Map<string, ProviderToken>();

  constructor(keys: readonly ApnsKey[]) {
    this.#keys = new Map(
      keys.map((key) => [key.keyId, { key, publicKey: createPublicKey(key.publicKeyPem) }]),
    );
  }

  /** The token's key and age, or the reason for which APNs refuses it. */
  verify(text: string, nowMs: number): ProviderToken | ApnsReason {
    const token = this.#verified.get(text) ?? this.#check(text);
    if (typeof token === 'string') return token;
    const ageSeconds = nowMs / 1000 - token.issuedAtSeconds;
    if (ageSeconds > MAX_AGE_SECONDS) return 'ExpiredProviderToken';
    return ageSeconds < -FUTURE_TOLERANCE_SECONDS ? 'InvalidProviderToken' : token;
  }

  #check(text: string): ProviderToken | ApnsReason {
    const token = readJsonWebToken(text);
    if (token === null || token.header.alg !== 'ES256') return 'InvalidProviderToken';
    const known = this.#keys.get(String(token.header.kid));
    if (known === undefined || token.claims.iss !== known.key.teamId) return 'InvalidProviderToken';
    const { iat } = token.claims;
    // A string here is refused too, which jsonwebtoken's users would not expect.
    if (typeof iat !== 'number' || !Number.isInteger(iat)) return 'InvalidProviderToken';
    if (!hasValidSignature(token, known.publicKey)) return 'InvalidProviderToken';
    const verified = { key: known.key, issuedAtSeconds: iat };
    if (this.#verified.size >= MAX_REMEMBERED) this.#verified.clear();
    this.#verified.set(text, verified);
    return verified;
  }
}

/** Apple takes the raw form of RFC 7518 and DER alike: its own openssl example produces DER. */
function hasValidSignature({ signed, signature }: JsonWebToken, key: KeyObject): boolean {
  const dsaEncoding = signature.length === RAW_SIGNATURE_BYTES ? 'ieee-p1363' : 'der';
  return verify('sha256', signed, { key, dsaEncoding }, signature);
}
