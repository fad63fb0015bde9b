import { Buffer } from 'node:buffer';
import { parseIdentityJwk } from '../domain/identity-jwk.ts';
import { LIMITS } from '../domain/limits.ts';
import { parseJson } from '../domain/parse-json.ts';
import type { VerifyingKey } from './assertion.ts';

/**
 * The keys of a JSON Web Key Set (RFC 7517 section 5) that can vouch for users. Others are passed
 * over: a set may serve more readers than us. Null for what is no key set.
 */
export function parseKeySet(text: string): readonly VerifyingKey[] | null {
  const parsed = parseJson(Buffer.from(text), 'the key set');
  if (parsed.kind === 'invalid') return null;
  const { value } = parsed;
  if (typeof value !== 'object' || value === null || !('keys' in value)) return null;
  if (!Array.isArray(value.keys)) return null;
  return value.keys.slice(0, LIMITS.keySetKeys).flatMap(toVerifyingKey);
}

function toVerifyingKey(entry: unknown): readonly VerifyingKey[] {
  if (typeof entry !== 'object' || entry === null) return [];
  const parsed = parseIdentityJwk({ ...entry });
  if (parsed.kind === 'refused') return [];
  const { keyId, algorithm, publicKey } = parsed;
  return [{ keyId, algorithm, material: publicKey }];
}
