import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import type { NewAppRequest } from '@homing/server';

/** What a test may want to be different about an assertion. */
export interface AssertionOptions {
  readonly installationId?: string;
  readonly issuedAt?: Date;
  readonly expiresInSeconds?: number;
  readonly jti?: string;
  readonly claims?: JWTPayload;
}

/** The customer's back end, as far as it vouches for its users. */
export interface Issuer {
  readonly identityKeys: NewAppRequest['identityKeys'];
  readonly hmacSecret: Buffer;
  /** A user assertion (ES256), five minutes good unless told otherwise. */
  sign(appId: string, userId: string, options?: AssertionOptions): Promise<string>;
}

const KEY_ID = 'test-key-1';
/** The key of `hmacSecret`. */
export const HMAC_KEY_ID = 'test-hmac-1';

export async function createIssuer(now: () => Date): Promise<Issuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const publicJwk = { ...(await exportJWK(publicKey)) };
  const hmacSecret = Buffer.from(randomUUID());
  return {
    hmacSecret,
    identityKeys: [
      { keyId: KEY_ID, algorithm: 'ES256', publicJwk },
      { keyId: HMAC_KEY_ID, algorithm: 'HS256', secret: hmacSecret },
    ],
    async sign(appId, userId, options = {}) {
      const issuedAt = Math.floor((options.issuedAt ?? now()).getTime() / 1000);
      const jwt = new SignJWT({
        ...(options.installationId !== undefined && { iid: options.installationId }),
        ...options.claims,
      })
        .setProtectedHeader({ alg: 'ES256', kid: KEY_ID })
        .setAudience(appId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + (options.expiresInSeconds ?? 300))
        .setJti(options.jti ?? randomUUID());
      return jwt.setSubject(userId).sign(privateKey);
    },
  };
}
