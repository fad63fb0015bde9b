import { ENCRYPTION_BYTES } from './message-encryption.ts';

/** Every push service takes a body of 4096 bytes (RFC 8030 section 7.2); Google takes no more. */
const BODY_BYTES = 4096;

/** Firefox for Android gets its messages over a bridge that takes no more than this. */
const BRIDGED_BODY_BYTES = 2744;

/** The longest plaintext that fits a body. */
export const WEB_PUSH_PAYLOAD_BYTES = BODY_BYTES - ENCRYPTION_BYTES;

/**
 * What plaintexts are filled up to, so that a push service cannot tell one short message from
 * another by its length. A message that Firefox for Android takes is never filled beyond that.
 */
const BUCKETS: readonly number[] = [
  256,
  512,
  1024,
  2048,
  BRIDGED_BODY_BYTES - ENCRYPTION_BYTES,
  WEB_PUSH_PAYLOAD_BYTES,
];

/** The bytes that a plaintext is filled up to; at most `WEB_PUSH_PAYLOAD_BYTES`. */
export function paddedBytesOf(plaintextBytes: number): number {
  return BUCKETS.find((bytes) => bytes >= plaintextBytes) ?? plaintextBytes;
}
