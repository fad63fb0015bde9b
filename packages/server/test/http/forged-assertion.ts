import { createHmac, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';

export type Members = Readonly<Record<string, unknown>>;

/** A signing key of a customer's back end, with the power to sign any nonsense. */
export interface ForgingKey {
  readonly publicKey: KeyObject;
  readonly publicJwk: Readonly<Record<string, unknown>>;
  /** Header and payload as text, so that no library stands between a test and a bad document. */
  signText(header: string, payload: string): string;
}

export function createForgingKey(): ForgingKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    publicKey,
    publicJwk: { ...publicKey.export({ format: 'jwk' }) },
    signText(header, payload) {
      const input = signingInput(header, payload);
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
      return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
    },
  };
}

export function signingInput(header: string, payload: string): string {
  return [header, payload].map((text) => Buffer.from(text).toString('base64url')).join('.');
}

/** HS256 over header and payload with any bytes as the secret. */
export function signHmac(header: string, payload: string, secret: string | Buffer): string {
  const input = signingInput(header, payload);
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

/** The claims of a good assertion; a test lays its own over them. */
export function goodClaims(appId: string, userId: string, installationId: string, now: Date) {
  const iat = Math.floor(now.getTime() / 1000);
  return { sub: userId, aud: appId, iid: installationId, iat, exp: iat + 300, jti: randomUUID() };
}

/** The order of the group of P-256 (FIPS 186-4, D.1.2.3). */
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The same assertion under the other signature that one ECDSA signature makes known. */
export function withTwinSignature(text: string): string {
  const [header, payload, signature = ''] = text.split('.');
  const bytes = Buffer.from(signature, 'base64url');
  const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`);
  const twin = (P256_ORDER - s).toString(16).padStart(64, '0');
  const signed = Buffer.concat([bytes.subarray(0, 32), Buffer.from(twin, 'hex')]);
  return `${header}.${payload}.${signed.toString('base64url')}`;
}
