import { hash } from 'node:crypto';

/**
 * SHA-256 in 32 bytes. By way of hexadecimal digits, because the engine takes 0.8 µs for that and
 * 1.4 µs when it is asked for a buffer, 3 µs for a `createHash`; every packet takes five of these.
 */
export function sha256(data: string | Buffer): Buffer {
  return Buffer.from(hash('sha256', data), 'hex');
}
