import { createHmac } from 'node:crypto';
import { HMAC_KEY_ID } from '../issuer.ts';

/** A JWT by HMAC: the cheapest proof that the server takes, for it is not what is under test. */
export function signedClaims(claims: Readonly<Record<string, unknown>>, secret: Buffer): string {
  const text = `${encoded({ alg: 'HS256', kid: HMAC_KEY_ID })}.${encoded(claims)}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
