import assert from 'node:assert/strict';
import { createDecipheriv, createECDH, hkdfSync, randomBytes, type ECDH } from 'node:crypto';

const SALT_BYTES = 16;
const TAG_BYTES = 16;

/** What a body of RFC 8188 consists of. */
export interface EncryptedContent {
  readonly salt: Buffer;
  readonly recordBytes: number;
  readonly keyId: Buffer;
  readonly records: readonly Buffer[];
}

/** What was in a body: the text, and how many zeros followed it. */
export interface DecryptedContent {
  readonly plaintext: Buffer;
  readonly paddingBytes: number;
}

/** A browser with one subscription: it keeps the keys, and reads what is encrypted for them. */
export class WebPushUserAgent {
  readonly auth: Buffer;
  readonly #ecdh: ECDH = createECDH('prime256v1');

  constructor(keys?: { readonly privateKey: Buffer; readonly auth: Buffer }) {
    if (keys === undefined) this.#ecdh.generateKeys();
    else this.#ecdh.setPrivateKey(keys.privateKey);
    this.auth = keys?.auth ?? randomBytes(16);
  }

  /** As `PushSubscription.toJSON()` has them. */
  get keys(): { readonly p256dh: string; readonly auth: string } {
    const p256dh = this.#ecdh.getPublicKey('base64url');
    return { p256dh, auth: this.auth.toString('base64url') };
  }

  /** Reads a body (RFC 8291 section 3.4); throws for one that is not for this subscription. */
  decrypt(body: Buffer): DecryptedContent {
    const { keyId } = parseContent(body);
    const info = Buffer.concat([Buffer.from('WebPush: info\0'), this.#ecdh.getPublicKey(), keyId]);
    const secret = this.#ecdh.computeSecret(keyId);
    const ikm = Buffer.from(hkdfSync('sha256', secret, this.auth, info, 32));
    return decryptContent(body, ikm);
  }
}

/** Takes a body of RFC 8188 apart. */
export function parseContent(body: Buffer): EncryptedContent {
  const keyIdBytes = body.readUInt8(SALT_BYTES + 4);
  const recordBytes = body.readUInt32BE(SALT_BYTES);
  const keyFrom = SALT_BYTES + 5;
  const records: Buffer[] = [];
  for (let at = keyFrom + keyIdBytes; at < body.length; at += recordBytes) {
    records.push(body.subarray(at, at + recordBytes));
  }
  const keyId = body.subarray(keyFrom, keyFrom + keyIdBytes);
  return { salt: body.subarray(0, SALT_BYTES), recordBytes, keyId, records };
}

/** Reads a body by its keying material (RFC 8188 section 2), of however many records. */
export function decryptContent(body: Buffer, ikm: Buffer): DecryptedContent {
  const { salt, records } = parseContent(body);
  const expand = (info: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', ikm, salt, `Content-Encoding: ${info}\0`, bytes));
  const [key, nonce] = [expand('aes128gcm', 16), expand('nonce', 12)];
  const plain = records.map((record, index) => {
    const own = Buffer.from(nonce);
    own.writeUInt32BE((own.readUInt32BE(8) ^ index) >>> 0, 8);
    const decipher = createDecipheriv('aes-128-gcm', key, own);
    decipher.setAuthTag(record.subarray(-TAG_BYTES));
    const text = decipher.update(record.subarray(0, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]);
  });
  let paddingBytes = 0;
  const texts = plain.map((text, index) => {
    let end = text.length - 1;
    while (text[end] === 0) end -= 1;
    assert.equal(text[end], index === plain.length - 1 ? 2 : 1, 'the delimiter of a record');
    paddingBytes += text.length - 1 - end;
    return text.subarray(0, end);
  });
  return { plaintext: Buffer.concat(texts), paddingBytes };
}
