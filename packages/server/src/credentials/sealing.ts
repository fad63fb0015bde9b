import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import type { MacKeys } from '../domain/mac-keys.ts';
import type { SealMark } from '../store/sealed-values.ts';

/**
 * Envelope encryption of secrets at rest. Each value has a data key of its own, wrapped by a
 * master key; both layers are AES-256-GCM, and the associated data binds a value to its app, kind
 * and row, so that a ciphertext that was moved elsewhere does not open. Several master keys may be
 * known: the newest seals, and each opens what it has sealed.
 *
 * Layout: version 1 · key id 8 · wrap nonce 12 · wrapped data key 48 · nonce 12 · ciphertext and
 * tag.
 */
export interface Vault {
  seal(plain: Buffer, boundTo: SealContext): Buffer;
  /**
   * The value, in a buffer that its reader wipes. Throws a `SealError` when it was sealed with a
   * master key that is not known, moved or damaged.
   */
  open(sealed: Buffer, boundTo: SealContext): Buffer;
  /** Keys for one purpose, derived from each master key, the newest first, and never stored. */
  derive(purpose: string): MacKeys;
  /** Tells the values apart that the newest master key has sealed. */
  readonly mark: SealMark;
}

export interface SealContext {
  readonly app: string;
  readonly kind: 'credential' | 'identity_key' | 'provider_token';
  readonly row: string;
}

/** A sealed value that cannot be opened; says why, and never what it holds. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

const VERSION = 1;
const KEY_ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const DATA_KEY_BYTES = 32;
const WRAPPED_BYTES = DATA_KEY_BYTES + TAG_BYTES;
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES + WRAPPED_BYTES + NONCE_BYTES;

interface MasterKey {
  readonly key: Buffer;
  readonly id: Buffer;
}

/** Each key is 32 random bytes; `masterKey` is the newest, `others` only open. */
export function createVault(masterKey: Buffer, others: readonly Buffer[] = []): Vault {
  const newest = toMasterKey(masterKey);
  const known = [newest, ...others.map(toMasterKey)];
  return {
    seal: (plain, boundTo) => seal(newest, plain, boundTo),
    open: (sealed, boundTo) => open(known, sealed, boundTo),
    derive: (purpose) => [
      derive(masterKey, purpose),
      ...others.map((other) => derive(other, purpose)),
    ],
    mark: { from: 2, bytes: KEY_ID_BYTES, keyId: newest.id },
  };
}

function derive(key: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `homing ${purpose}`, 32));
}

function toMasterKey(key: Buffer): MasterKey {
  return { key, id: createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES) };
}

function seal(master: MasterKey, plain: Buffer, boundTo: SealContext): Buffer {
  const associated = associatedData(boundTo);
  const dataKey = randomBytes(DATA_KEY_BYTES);
  const wrapNonce = randomBytes(NONCE_BYTES);
  const nonce = randomBytes(NONCE_BYTES);
  const wrapped = encrypt(master.key, wrapNonce, dataKey, associated);
  const body = encrypt(dataKey, nonce, plain, associated);
  dataKey.fill(0);
  return Buffer.concat([Buffer.of(VERSION), master.id, wrapNonce, wrapped, nonce, body]);
}

function open(known: readonly MasterKey[], sealed: Buffer, boundTo: SealContext): Buffer {
  if (sealed.length < HEADER_BYTES + TAG_BYTES || sealed[0] !== VERSION) {
    throw new SealError(`the sealed ${boundTo.kind} is damaged`);
  }
  let offset = 1;
  const take = (bytes: number): Buffer => sealed.subarray(offset, (offset += bytes));
  const keyId = take(KEY_ID_BYTES);
  const master = known.find(({ id }) => id.equals(keyId));
  if (master === undefined) {
    throw new SealError(
      `the ${boundTo.kind} was sealed with another master key; add that one to ` +
        'HOMING_MASTER_KEY_PREVIOUS, or set HOMING_MASTER_KEY to it',
    );
  }
  const associated = associatedData(boundTo);
  const wrapNonce = take(NONCE_BYTES);
  const dataKey = decrypt(master.key, wrapNonce, take(WRAPPED_BYTES), associated, boundTo);
  const nonce = take(NONCE_BYTES);
  try {
    return decrypt(dataKey, nonce, sealed.subarray(offset), associated, boundTo);
  } finally {
    dataKey.fill(0);
  }
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
    const plain = decipher.update(body.subarray(0, body.length - TAG_BYTES));
    // GCM is a stream: all is there by now, and this only holds the tag against it.
    decipher.final();
    return plain;
  } catch {
    throw new SealError(`the sealed ${boundTo.kind} does not belong to this row or was damaged`);
  }
}
