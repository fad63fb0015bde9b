import { generateKeyPairSync, sign } from 'node:crypto';
import type { NewAppRequest } from '@homing/server';

/** The customer's back end, as far as it vouches for its users: signs ES256 assertions. */
export interface Signer {
  readonly identityKeys: NewAppRequest['identityKeys'];
  /** An assertion for one installation, good for ten minutes. */
  sign(claims: AssertionClaims): string;
}

export interface AssertionClaims {
  readonly audience: string;
  readonly userId: string;
  readonly installationId: string;
  /** Each assertion is good for one login. */
  readonly jti: string;
}

const KEY_ID = 'bench';
const LIFETIME_SECONDS = 600;

/** Synchronous and without a library: tens of thousands are made before a round. */
export function createSigner(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = { ...publicKey.export({ format: 'jwk' }) };
  const header = encode({ alg: 'ES256', kid: KEY_ID });
  return {
    identityKeys: [{ keyId: KEY_ID, algorithm: 'ES256', publicJwk }],
    sign({ audience, userId, installationId, jti }) {
      const iat = Math.floor(Date.now() / 1000);
      const times = { iat, exp: iat + LIFETIME_SECONDS };
      const payload = { sub: userId, aud: audience, iid: installationId, jti, ...times };
      const text = `${header}.${encode(payload)}`;
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
      return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
    },
  };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
