import { createECDH, hkdfSync, randomBytes } from 'node:crypto';
import type { ECDH } from 'node:crypto';
import { decryptContent, readEncryptedContent } from './encrypted-content.ts';
import type { Opened } from './encrypted-content.ts';
import { isPublicPoint } from './public-point.ts';

/** What a browser hands out of its keys (Push API, `PushSubscription.getKey`): base64url. */
export interface PublicKeys {
  readonly p256dh: string;
  readonly auth: string;
}

/** Given keys instead of fresh ones, in base64url: for known answers. */
export interface GivenKeys {
  readonly privateKey: string;
  readonly auth: string;
}

const AUTH_BYTES = 16;
const KEYING_MATERIAL_BYTES = 32;

/** The half of RFC 8291 that browsers have: a key pair, a secret, and how messages are opened. */
export class UserAgentKeys {
  readonly #ecdh: ECDH = createECDH('prime256v1');
  readonly #authSecret: Buffer;

  constructor(given?: GivenKeys) {
    if (given === undefined) this.#ecdh.generateKeys();
    else this.#ecdh.setPrivateKey(Buffer.from(given.privateKey, 'base64url'));
    this.#authSecret =
      given === undefined ? randomBytes(AUTH_BYTES) : Buffer.from(given.auth, 'base64url');
  }

  get public(): PublicKeys {
    return {
      p256dh: this.#ecdh.getPublicKey('base64url'),
      auth: this.#authSecret.toString('base64url'),
    };
  }

  /** Decrypts a message's body. Section 4 has it that it is a single record. */
  open(body: Buffer): Opened {
    const content = readEncryptedContent(body);
    if (content === null) return { ok: false, problem: 'the header cannot be read' };
    if (!isPublicPoint(content.keyId)) return { ok: false, problem: 'the key id is no public key' };
    if (content.records.length > content.recordSize) {
      return { ok: false, problem: 'there is more than one record' };
    }
    return decryptContent(content, this.#keyingMaterial(content.keyId));
  }

  /** Section 3.4: the secret both sides know, bound to both of their public keys. */
  #keyingMaterial(senderPoint: Buffer): Uint8Array {
    const shared = this.#ecdh.computeSecret(senderPoint);
    const label = Buffer.from('WebPush: info\0');
    const info = Buffer.concat([label, this.#ecdh.getPublicKey(), senderPoint]);
    return new Uint8Array(
      hkdfSync('sha256', shared, this.#authSecret, info, KEYING_MATERIAL_BYTES),
    );
  }
}
