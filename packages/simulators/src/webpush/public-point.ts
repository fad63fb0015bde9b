import { createECDH, createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

const POINT_BYTES = 65;
const COORDINATE_BYTES = 32;
const UNCOMPRESSED = 0x04;
const BASE64URL = /^[A-Za-z0-9_-]+={0,2}$/;

/**
 * The uncompressed P-256 point (SEC 1 section 2.3.3) that a text holds in base64url, padded or
 * not; null when it is none, or not on the curve.
 */
export function readPublicPoint(text: string): Buffer | null {
  if (!BASE64URL.test(text)) return null;
  const point = Buffer.from(text, 'base64url');
  return isPublicPoint(point) ? point : null;
}

/** Whether bytes are an uncompressed point on P-256. */
export function isPublicPoint(point: Buffer): boolean {
  if (point.length !== POINT_BYTES || point[0] !== UNCOMPRESSED) return false;
  try {
    const probe = createECDH('prime256v1');
    probe.generateKeys();
    probe.computeSecret(point);
    return true;
  } catch {
    // OpenSSL refuses a point that is not on the curve, and that is the only way to ask it.
    return false;
  }
}

/** The key with which signatures made by a point's owner are verified. */
export function verificationKey(point: Buffer): KeyObject {
  const [x, y] = [point.subarray(1, 1 + COORDINATE_BYTES), point.subarray(1 + COORDINATE_BYTES)];
  const jwk = { kty: 'EC', crv: 'P-256', x: x.toString('base64url'), y: y.toString('base64url') };
  return createPublicKey({ key: jwk, format: 'jwk' });
}
