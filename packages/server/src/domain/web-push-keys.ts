import { ECDH } from 'node:crypto';

/** The curve of all keys in Web Push (RFC 8291 section 3.1, RFC 8292 section 3.2). */
export const WEB_PUSH_CURVE = 'prime256v1';

/** RFC 8291 section 3.2. */
const AUTH_SECRET_BYTES = 16;
/** An uncompressed point of P-256: its mark and two coordinates. */
const POINT_BYTES = 65;
const PRIVATE_KEY_BYTES = 32;
const UNCOMPRESSED = 4;

/** Either alphabet, padded or not: libraries hand keys on in all four ways. */
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** A public key, `p256dh` or `applicationServerKey`; null for what is no point of the curve. */
export function readPublicKey(text: string): Buffer | null {
  const point = readPoint(text);
  return point !== null && isOnCurve(point) ? point : null;
}

/** The same without a look at the curve, which is dear, for what was looked at before. */
export function readPoint(text: string): Buffer | null {
  return readBytes(text, POINT_BYTES);
}

/** The `auth` of a subscription; null for what cannot be one. */
export function readAuthSecret(text: string): Buffer | null {
  return readBytes(text, AUTH_SECRET_BYTES);
}

/** A private key as tools for VAPID print it; null for what cannot be one. */
export function readPrivateKey(text: string): Buffer | null {
  return readBytes(text, PRIVATE_KEY_BYTES);
}

function readBytes(text: string, length: number): Buffer | null {
  if (!BASE64.test(text)) return null;
  // This decoder takes the other alphabet as well.
  const bytes = Buffer.from(text, 'base64url');
  return bytes.length === length ? bytes : null;
}

/** A point elsewhere would tell an attacker something about our keys, and nobody could read us. */
function isOnCurve(point: Buffer): boolean {
  if (point[0] !== UNCOMPRESSED) return false;
  try {
    ECDH.convertKey(point, WEB_PUSH_CURVE);
    return true;
  } catch {
    return false;
  }
}
