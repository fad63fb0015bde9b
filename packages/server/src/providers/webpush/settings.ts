import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { readPrivateKey, readPublicKey, WEB_PUSH_CURVE } from '../../domain/web-push-keys.ts';
import { SettingsReader } from '../settings-reader.ts';
import type { ParsedSettings } from '../settings-reader.ts';

/** One VAPID key pair (RFC 8292): a subscription is bound to the one that it was made with. */
export interface WebPushSettings {
  /** Whom a push service may write to when our pushes give it trouble. */
  readonly subject: string;
  /** The uncompressed point in unpadded base64url: what pages call `applicationServerKey`. */
  readonly publicKey: string;
  readonly signingKey: KeyObject;
}

/** Where Web Push may go beside the known push services, and whom it trusts there. */
export interface WebPushReach {
  /** `name:port` of the operator's own push services, which need not be public. */
  readonly hosts: readonly string[];
  /** PEM certificates to trust for them instead of the system's. */
  readonly ca: string | null;
}

const SUBJECT = /^(?:mailto:[^\s@:/]+@[^\s@:/]+\.[^\s@:/]+|https:\/\/[^\s/]+\.[^\s/]+\S*)$/;
const UNREADABLE = 'must be 32 bytes in base64url, or a P-256 key in PEM form';

/**
 * Validates what an operator gave: `{subject, publicKey, privateKey}` with the keys as tools for
 * VAPID print them, or a private key in PEM form, to which the public one belongs anyway. Apple
 * refuses subjects that are neither a mail address in full nor an https URL.
 */
export function parseWebPushSettings(input: unknown): ParsedSettings<WebPushSettings> {
  const reader = new SettingsReader(input);
  reader.allowOnly(['subject', 'publicKey', 'privateKey']);
  const subject = reader.string(
    'subject',
    SUBJECT,
    'mailto: with an address, or an https URL, at a public host',
  );
  const signingKey = readSigningKey(reader);
  if (signingKey === null) return { kind: 'problems', problems: reader.problems };
  const publicKey = publicKeyOf(signingKey);
  checkPublicKey(reader, publicKey);
  if (reader.problems.length > 0) return { kind: 'problems', problems: reader.problems };
  return { kind: 'settings', settings: { subject, publicKey, signingKey } };
}

function readSigningKey(reader: SettingsReader): KeyObject | null {
  const text = reader.string('privateKey', /\S/, 'the private key');
  if (text === '') return null;
  try {
    const key = text.includes('PRIVATE KEY') ? createPrivateKey(text) : keyOfBytes(text);
    if (key?.asymmetricKeyDetails?.namedCurve === WEB_PUSH_CURVE) return key;
  } catch {
    // The error may quote the key, so its text is not passed on.
  }
  reader.problem('privateKey', UNREADABLE);
  return null;
}

function keyOfBytes(text: string): KeyObject | null {
  const bytes = readPrivateKey(text);
  if (bytes === null) return null;
  const pair = createECDH(WEB_PUSH_CURVE);
  pair.setPrivateKey(bytes);
  const point = pair.getPublicKey();
  const coordinate = (from: number): string =>
    point.subarray(from, from + 32).toString('base64url');
  return createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      d: bytes.toString('base64url'),
      x: coordinate(1),
      y: coordinate(33),
    },
  });
}

/** Unpadded base64url. */
function publicKeyOf(key: KeyObject): string {
  const { x = '', y = '' } = createPublicKey(key).export({ format: 'jwk' });
  const coordinates = [x, y].map((text) => Buffer.from(text, 'base64url'));
  return Buffer.concat([Buffer.of(4), ...coordinates]).toString('base64url');
}

/** May be left out; what does not belong to the private key is a mix-up. */
function checkPublicKey(reader: SettingsReader, publicKey: string): void {
  const given = reader.raw('publicKey');
  if (given === undefined) return;
  const point = typeof given === 'string' ? readPublicKey(given) : null;
  if (point === null) reader.problem('publicKey', 'must be an uncompressed P-256 point, base64url');
  else if (point.toString('base64url') !== publicKey) {
    reader.problem('publicKey', 'does not belong to the private key');
  }
}
