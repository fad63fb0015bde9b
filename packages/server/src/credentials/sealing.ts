import {
  createCipheriv,
  createDecipheriv,
  createHash,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';

/**
 * Envelope encryption of secrets at rest. Each value has a data key of its own, wrapped by the
 * master key; both layers are AES-256-GCM, and the associated data binds a value to its app, kind
 * and row, so that a ciphertext that was moved elsewhere does not open.
 *
 * Layout: version 1 · key id 8 · wrap nonce 12 · wrapped data key 48 · nonce 12 · ciphertext and
 * tag.
 */
export interface Vault {
  seal(plain: Buffer, boundTo: SealContext): Buffer;
  /** Throws a `SealError` when the value was made with another master key, moved or damaged. */
  open(sealed: Buffer, boundTo: SealContext): Buffer;
  /** A key for one purpose, derived from the master key and never stored. */
  derive(purpose: string): Buffer;
}

export interface SealContext {
  readonly app: string;
  readonly kind: 'credential' | 'identity_key' | 'provider_token';
  readonly row: string;
}

class SealError extends Error {
  override readonly name = 'SealError';
}

const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DATA_KEY_BYTES = 32;
const WRAPPED_BYTES = DATA_KEY_BYTES + TAG_BYTES;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES + WRAPPED_BYTES + NONCE_BYTES;

/** `masterKey` is 32 random bytes. */
export function createVault(masterKey: Buffer): Vault {
  const keyId = createHash('sha256').update(masterKey).digest().subarray(0, KEY_ID_BYTES);
  return {
    seal: (plain, boundTo) => seal(masterKey, keyId, plain, boundTo),
    open: (sealed, boundTo) => open(masterKey, keyId, sealed, boundTo),
    derive: (purpose) => Buffer.from(hkdfSync('sha256', masterKey, '', `homing ${purpose}`, 32)),
  };
}

function seal(masterKey: Buffer, keyId: Buffer, plain: Buffer, boundTo: SealContext): Buffer {
  const associated = associatedData(boundTo);
  const dataKey = randomBytes(DATA_KEY_BYTES);
  const wrapNonce = randomBytes(NONCE_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const wrapped = encrypt(masterKey, wrapNonce, dataKey, associated);
  const body = encrypt(dataKey, nonce, plain, associated);
  return Buffer.concat([Buffer.of(VERSION), keyId, wrapNonce, wrapped, nonce, body]);
}

function open(masterKey: Buffer, keyId: Buffer, sealed: Buffer, boundTo: SealContext): Buffer {
  if (sealed.length < HEADER_BYTES + TAG_BYTES || sealed[0] !== VERSION) {
    throw new SealError(`the sealed ${boundTo.kind} is damaged`);
  }
  let offset = 1;
  const take = (bytes: number): Buffer => sealed.subarray(offset, (offset += bytes));
  if (!timingSafeEqual(take(KEY_ID_BYTES), keyId)) {
    throw new SealError(
      `the ${boundTo.kind} was sealed with another master key; set HOMING_MASTER_KEY to that one`,
    );
  }
  const associated = associatedData(boundTo);
  const wrapNonce = take(NONCE_BYTES);
  const dataKey = decrypt(masterKey, wrapNonce, take(WRAPPED_BYTES), associated, boundTo);
  const nonce = take(NONCE_BYTES);
  return decrypt(dataKey, nonce, sealed.subarray(offset), associated, boundTo);
}

function associatedData(boundTo: SealContext): Buffer {
  return Buffer.from([boundTo.app, boundTo.kind, boundTo.row].join('\u0000'));
}

function encrypt(key: Buffer, nonce: Buffer, plain: Buffer, associated: Buffer): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(associated);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decrypt(
  key: Buffer,
  nonce: Buffer,
  body: Buffer,
  associated: Buffer,
  boundTo: SealContext,
): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', key, nonce).setAAD(associated);
  decipher.setAuthTag(body.subarray(body.length - TAG_BYTES));
  try {
    return Buffer.concat([
      decipher.update(body.subarray(0, body.length - TAG_BYTES)),
      decipher.final(),
    ]);
  } catch {
    throw new SealError(`the sealed ${boundTo.kind} does not belong to this row or was damaged`);
  }
}
