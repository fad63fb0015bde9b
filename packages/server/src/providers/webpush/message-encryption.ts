import { createECDH, randomFillSync, type ECDH } from 'node:crypto';
import { WEB_PUSH_CURVE } from '../../domain/web-push-keys.ts';
import { hmac, sealMessage, sealOverheadBytes } from './content-encoding.ts';

/** A message and the subscription that it is for. */
export interface PlainMessage {
  readonly plaintext: Buffer;
  readonly paddedBytes: number;
  /** The browser's public key, 65 bytes. */
  readonly p256dh: Buffer;
  /** The secret that browser and server share, 16 bytes. */
  readonly auth: Buffer;
}

/** What the sender makes anew for each message. */
export interface SenderSecrets {
  /** Holds the key pair. */
  readonly ecdh: ECDH;
  /** What `ecdh` would take a moment to write out again. */
  readonly publicKey: Buffer;
  readonly salt: Buffer;
}

/** Bytes of an encrypted message beyond its padded plaintext. */
export const ENCRYPTION_BYTES = sealOverheadBytes(65);

const INFO = Buffer.from('WebPush: info\0');
/** The counter of HKDF's only block (RFC 5869 section 2.3). */
const FIRST_BLOCK = Buffer.of(1);

/**
 * Encrypts one message (RFC 8291 section 3.4). Throws `ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY` when
 * `p256dh` is no point of the curve.
 */
export function encryptMessage(
  message: PlainMessage,
  { ecdh, publicKey, salt }: SenderSecrets,
): Buffer {
  const { plaintext, paddedBytes, p256dh, auth } = message;
  const prk = hmac(auth, ecdh.computeSecret(p256dh));
  const ikm = hmac(prk, Buffer.concat([INFO, p256dh, publicKey, FIRST_BLOCK]));
  return sealMessage({ ikm, salt, keyId: publicKey, plaintext, paddedBytes });
}

/** One for all messages: a new one would look the curve up again, and costs more than its keys. */
const pair = createECDH(WEB_PUSH_CURVE);

/**
 * Encrypts a message with a key pair and a salt that are used this once; null for a subscription
 * whose key is no point of the curve, so that nobody can read what is sent to it.
 */
export function encryptOnce(message: PlainMessage): Buffer | null {
  const publicKey = pair.generateKeys();
  const salt = randomFillSync(Buffer.allocUnsafe(16));
  try {
    return encryptMessage(message, { ecdh: pair, publicKey, salt });
  } catch (error) {
    if (isBadPoint(error)) return null;
    throw error;
  }
}

function isBadPoint(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : null;
  return code === 'ERR_CRYPTO_ECDH_INVALID_PUBLIC_KEY';
}
