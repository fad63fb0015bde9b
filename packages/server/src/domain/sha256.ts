import { hash } from 'node:crypto';

/**
 * SHA-256 in 32 bytes. By way of a text of one character for each byte, because the engine takes
 * 0.37 µs for that, 0.45 µs by way of hexadecimal digits, 0.72 µs when it is asked for a buffer and
 * 3 µs for a `createHash`; every packet takes six of these.
 */
export function sha256(data: string | Buffer): Buffer {
  return Buffer.from(hash('sha256', data, 'binary'), 'latin1');
}
