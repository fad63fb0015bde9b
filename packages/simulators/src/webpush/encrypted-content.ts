import { createDecipheriv, hkdfSync } from 'node:crypto';

/** A body in the content coding aes128gcm, taken apart but still encrypted (RFC 8188 section 2). */
export interface EncryptedContent {
  readonly salt: Buffer;
  /** Bytes of every record but the last, which may be shorter. */
  readonly recordSize: number;
  readonly keyId: Buffer;
  readonly records: Buffer;
}

/** The plaintext, or what kept it from being had. */
export type Opened =
  | { readonly ok: true; readonly plaintext: Buffer }
  | { readonly ok: false; readonly problem: string };

const SALT_BYTES = 16;
const HEADER_BYTES = 21;
const TAG_BYTES = 16;
// A record of 17 bytes would hold a delimiter and nothing else, so RFC 8188 demands one more.
const MIN_RECORD_SIZE = TAG_BYTES + 2;
const NOT_LAST = 1;
const LAST = 2;

/** Takes a body apart; null when it is too short or its record size is impossible. */
export function readEncryptedContent(body: Buffer): EncryptedContent | null {
  if (body.length < HEADER_BYTES) return null;
  const recordSize = body.readUInt32BE(SALT_BYTES);
  const keyIdEnd = HEADER_BYTES + body.readUInt8(HEADER_BYTES - 1);
  if (recordSize < MIN_RECORD_SIZE || body.length < keyIdEnd + TAG_BYTES + 1) return null;
  return {
    salt: body.subarray(0, SALT_BYTES),
    recordSize,
    keyId: body.subarray(HEADER_BYTES, keyIdEnd),
    records: body.subarray(keyIdEnd),
  };
}

/** Decrypts all records with this input keying material, and removes their padding. */
export function decryptContent(content: EncryptedContent, keyingMaterial: Uint8Array): Opened {
  const { salt, recordSize, records } = content;
  const derive = (info: string, bytes: number): Buffer =>
    Buffer.from(
      hkdfSync('sha256', keyingMaterial, salt, Buffer.from(`Content-Encoding: ${info}\0`), bytes),
    );
  const key = derive('aes128gcm', 16);
  const baseNonce = derive('nonce', 12);
  const plaintexts: Buffer[] = [];
  for (let offset = 0, index = 0; offset < records.length; offset += recordSize, index += 1) {
    const record = records.subarray(offset, offset + recordSize);
    const isLast = offset + recordSize >= records.length;
    const padded = decryptRecord(record, key, nonceOf(baseNonce, index));
    if (padded === null) return { ok: false, problem: `record ${index} cannot be decrypted` };
    const plaintext = unpadded(padded, isLast ? LAST : NOT_LAST);
    if (plaintext === null) return { ok: false, problem: `record ${index} is badly delimited` };
    plaintexts.push(plaintext);
  }
  return { ok: true, plaintext: Buffer.concat(plaintexts) };
}

/** RFC 8188 section 2.3. Only 32 bits are counted: `^` has no more, and no message needs them. */
function nonceOf(baseNonce: Buffer, index: number): Buffer {
  const nonce = Buffer.from(baseNonce);
  const counterAt = nonce.length - 4;
  nonce.writeUInt32BE((nonce.readUInt32BE(counterAt) ^ index) >>> 0, counterAt);
  return nonce;
}

function decryptRecord(record: Buffer, key: Buffer, nonce: Buffer): Buffer | null {
  if (record.length <= TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-128-gcm', key, nonce);
  decipher.setAuthTag(record.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(record.subarray(0, -TAG_BYTES)), decipher.final()]);
  } catch {
    return null;
  }
}

/** Cuts at the last byte that is not zero, which must be the delimiter; null when it is not. */
function unpadded(padded: Buffer, delimiter: number): Buffer | null {
  let end = padded.length - 1;
  while (end >= 0 && padded[end] === 0) end -= 1;
  return padded[end] === delimiter ? padded.subarray(0, end) : null;
}
