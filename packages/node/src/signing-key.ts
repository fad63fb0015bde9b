import { createPrivateKey, createSecretKey, KeyObject } from 'node:crypto';

export type SigningAlgorithm = 'ES256' | 'EdDSA' | 'RS256' | 'HS256';

/** A private key as PEM or object, or a shared secret as its bytes, as base64, or as object. */
export type KeyMaterial = string | Uint8Array | KeyObject;

export interface SigningKey {
  readonly algorithm: SigningAlgorithm;
  readonly key: KeyObject;
}

/** What a key is for; throws a `TypeError`, which never shows it, if it is for none of them. */
export function toSigningKey(material: KeyMaterial): SigningKey {
  if (typeof material === 'string' && material.trimStart().startsWith('-----BEGIN')) {
    return toSigningKey(privateKeyOf(material));
  }
  if (material instanceof KeyObject && material.type !== 'secret') return asymmetricKey(material);
  return { algorithm: 'HS256', key: toSecretKey(material) };
}

/** What the server takes for a secret, too. */
const LEAST_BYTES = 32;
const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** A shared secret; a text is base64 or base64url of its bytes, as it is registered. */
export function toSecretKey(material: KeyMaterial): KeyObject {
  const key = material instanceof KeyObject ? material : createSecretKey(toBytes(material));
  if (key.type === 'secret' && (key.symmetricKeySize ?? 0) >= LEAST_BYTES) return key;
  throw new TypeError(
    `a shared secret has ${LEAST_BYTES} bytes at least, given as such or in base64`,
  );
}

function toBytes(material: string | Uint8Array): Uint8Array {
  if (typeof material !== 'string') return material;
  return BASE64.test(material) ? Buffer.from(material, 'base64') : new Uint8Array();
}

/** What OpenSSL says of a text that it cannot read helps nobody. */
function privateKeyOf(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new TypeError('the PEM holds no private key, is encrypted, or has lost its line breaks');
  }
}

function asymmetricKey(key: KeyObject): SigningKey {
  if (key.type === 'public') throw new TypeError('this is the public half of the key');
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return { algorithm: 'ES256', key };
  if (type === 'ed25519') return { algorithm: 'EdDSA', key };
  if (type === 'rsa') return { algorithm: 'RS256', key };
  throw new TypeError('the key has to be P-256, Ed25519 or RSA, or a shared secret');
}
