import {
  createCipheriv,
  createECDH,
  createPrivateKey,
  hkdfSync,
  randomBytes,
  sign,
} from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { PushSubscriptionJson } from '../src/index.ts';

/** An application server: signs VAPID tokens and encrypts, each step open to be done wrongly. */
export interface Sender {
  readonly key: string;
  authorization(audience: string, draft?: TokenDraft): string;
}

export interface TokenDraft {
  readonly header?: Readonly<Record<string, unknown>>;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly nowMs?: number;
}

const HALF_A_DAY_SECONDS = 12 * 3600;

/** An application server with a key of its own. */
export function createSender(): Sender {
  const ecdh = createECDH('prime256v1');
  const point = ecdh.generateKeys();
  const key = point.toString('base64url');
  const privateKey = signingKey(point, ecdh.getPrivateKey());
  return {
    key,
    authorization: (audience, draft = {}) =>
      `vapid t=${signToken(privateKey, audience, draft)}, k=${key}`,
  };
}

function signToken(privateKey: KeyObject, audience: string, draft: TokenDraft): string {
  const nowMs = draft.nowMs ?? Date.now();
  const exp = Math.floor(nowMs / 1000) + HALF_A_DAY_SECONDS;
  const signed = [
    { typ: 'JWT', alg: 'ES256', ...draft.header },
    { aud: audience, exp, sub: 'mailto:push@example.com', ...draft.claims },
  ]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signer = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
  return `${signed}.${sign('sha256', Buffer.from(signed), signer).toString('base64url')}`;
}

/** Encrypts one record for a subscription (RFC 8291), with `padding` zeros behind the text. */
export function seal(
  { keys }: Pick<PushSubscriptionJson, 'keys'>,
  plaintext: string | Buffer,
  padding = 0,
): Buffer {
  const ecdh = createECDH('prime256v1');
  const senderPoint = ecdh.generateKeys();
  const receiverPoint = Buffer.from(keys.p256dh, 'base64url');
  const auth = Buffer.from(keys.auth, 'base64url');
  const info = Buffer.concat([Buffer.from('WebPush: info\0'), receiverPoint, senderPoint]);
  const keying = hkdfSync('sha256', ecdh.computeSecret(receiverPoint), auth, info, 32);
  const salt = randomBytes(16);
  const derive = (name: string, bytes: number): Buffer =>
    Buffer.from(
      hkdfSync('sha256', Buffer.from(keying), salt, `Content-Encoding: ${name}\0`, bytes),
    );
  const cipher = createCipheriv('aes-128-gcm', derive('aes128gcm', 16), derive('nonce', 12));
  const padded = Buffer.concat([Buffer.from(plaintext), Buffer.from([2]), Buffer.alloc(padding)]);
  const record = Buffer.concat([cipher.update(padded), cipher.final(), cipher.getAuthTag()]);
  const recordSize = Buffer.alloc(4);
  recordSize.writeUInt32BE(Math.max(4096, record.length));
  return Buffer.concat([salt, recordSize, Buffer.from([65]), senderPoint, record]);
}

function signingKey(point: Buffer, secret: Buffer): KeyObject {
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: point.subarray(1, 33).toString('base64url'),
    y: point.subarray(33).toString('base64url'),
    d: secret.toString('base64url'),
  };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}
