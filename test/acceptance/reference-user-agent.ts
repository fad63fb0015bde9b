import { createECDH, randomBytes } from 'node:crypto';
import type { EncryptedMessage, PushSubscriptionJson, WebPushSimulator } from '@homing/simulators';
import { encryptedContentLibrary } from './web-push-library.ts';

/**
 * A browser that opens messages with the library of others: neither what encrypts in our provider
 * nor what decrypts in our simulators has a part in it.
 */
export class ReferenceUserAgent {
  readonly #ecdh = createECDH('prime256v1');
  readonly #auth = randomBytes(16).toString('base64url');
  readonly #library = encryptedContentLibrary();
  readonly #opened: Buffer[] = [];

  constructor() {
    this.#ecdh.generateKeys();
  }

  /** What it got, decrypted, oldest first. */
  get opened(): readonly Buffer[] {
    return this.#opened;
  }

  subscribe(simulator: WebPushSimulator, applicationServerKey: string): PushSubscriptionJson {
    const holder = {
      read: ({ body }: EncryptedMessage) => body,
      receive: (_endpoint: string, { payload }: { readonly payload: unknown }) => {
        this.#opened.push(this.#open(payload as Buffer));
      },
    };
    return {
      endpoint: simulator.subscribe({ holder, applicationServerKey }),
      expirationTime: null,
      keys: { p256dh: this.#ecdh.getPublicKey('base64url'), auth: this.#auth },
    };
  }

  #open(body: Buffer): Buffer {
    if (body.length === 0) return body;
    return this.#library.decrypt(body, {
      version: 'aes128gcm',
      privateKey: this.#ecdh,
      authSecret: this.#auth,
    });
  }
}
