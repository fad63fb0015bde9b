import { hash } from 'node:crypto';
import type { Address } from './address.ts';
import { sha256 } from './sha256.ts';

/**
 * What makes an address unique within an app: SHA-256 over provider, credential project,
 * environment, topic and canonical token. A fixed-size digest, because a raw token can exceed what
 * a b-tree entry holds; every part is present, because a null would let the same token in twice.
 */
export function addressKey(address: Address): Buffer {
  const parts = keyParts(address);
  return sha256(parts.join('\u0000'));
}

/**
 * The first eight hex digits of a token's SHA-256: how tokens appear in logs, answers and events.
 */
export function tokenFingerprint(token: string): string {
  return hash('sha256', token, 'hex').slice(0, 8);
}

function keyParts(address: Address): readonly string[] {
  switch (address.provider) {
    case 'apns':
      return ['apns', '', address.environment, address.topic, address.token];
    case 'fcm':
      // A registration token and an installation id live in different name spaces of one project.
      return ['fcm', address.project, '', address.kind, address.token];
    case 'hms':
      return ['hms', '', '', address.kind === 'android' ? '' : address.kind, address.token];
    case 'webpush':
    case 'expo':
      return [address.provider, '', '', '', address.token];
  }
}
