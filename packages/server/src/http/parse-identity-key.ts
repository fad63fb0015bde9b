import { Buffer } from 'node:buffer';
import type { IdentityKeyInput } from '@homing/protocol';
import type { NewIdentityKey } from '../credentials/identity-key.ts';
import { parseIdentityJwk } from '../domain/identity-jwk.ts';
import { LIMITS } from '../domain/limits.ts';
import { fieldError } from './api-error.ts';

/** A key as it is sent; throws the field at fault, and never repeats what could be a secret. */
export function parseIdentityKey(input: IdentityKeyInput): NewIdentityKey {
  const { kid: keyId } = input;
  if ('secret' in input) return { keyId, algorithm: 'HS256', secret: parseSecret(input.secret) };
  const parsed = parseIdentityJwk(input.public_jwk);
  if (parsed.kind === 'refused') {
    const tail = parsed.member === null ? '' : `/${parsed.member}`;
    throw fieldError(`/public_jwk${tail}`, parsed.why);
  }
  if (parsed.keyId !== null && parsed.keyId !== keyId) {
    throw fieldError('/kid', 'is not the "kid" of the key');
  }
  const { algorithm, publicJwk } = parsed;
  return { keyId, algorithm, publicJwk };
}

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

function parseSecret(text: string): Buffer {
  const { least, most } = LIMITS.identitySecretBytes;
  const secret = Buffer.from(text, 'base64');
  if (BASE64.test(text) && secret.length >= least && secret.length <= most) return secret;
  throw fieldError('/secret', `${least} to ${most} random bytes in base64`);
}
