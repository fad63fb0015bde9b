import { createPrivateKey, type KeyObject } from 'node:crypto';
import type { SettingsReader } from './settings-reader.ts';

/** RFC 7518 section 3.3: a shorter key must not sign, and so cannot. */
const LEAST_BITS = 2048;

/** The `private_key` of a service account's key file; null when it is none that can sign. */
export function readAccountKey(file: SettingsReader): KeyObject | null {
  const pem = file.string('private_key', /PRIVATE KEY/, 'a private key in PEM form');
  if (pem === '') return null;
  try {
    const key = createPrivateKey(pem);
    const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
    if (key.asymmetricKeyType === 'rsa' && bits >= LEAST_BITS) return key;
    file.problem('private_key', `must be an RSA key of ${LEAST_BITS} bits at least`);
  } catch {
    // The error may quote the key, so its text is not passed on.
    file.problem('private_key', 'cannot be read as a private key');
  }
  return null;
}
