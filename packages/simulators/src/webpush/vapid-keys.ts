import { createECDH } from 'node:crypto';

/** An application server's key pair, both halves in base64url, as tools for VAPID print them. */
export interface VapidKeys {
  /** The uncompressed point, which pages subscribe with. */
  readonly publicKey: string;
  readonly privateKey: string;
}

/** Generates a key pair for tests and demonstrations. Services know no such keys beforehand. */
export function createVapidKeys(): VapidKeys {
  const ecdh = createECDH('prime256v1');
  ecdh.generateKeys();
  return {
    publicKey: ecdh.getPublicKey('base64url'),
    // A scalar that begins with zeros comes without them.
    privateKey: Buffer.from(ecdh.getPrivateKey('hex').padStart(64, '0'), 'hex').toString(
      'base64url',
    ),
  };
}
