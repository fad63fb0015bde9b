import { sha256 } from '../domain/sha256.ts';

/**
 * JSON with sorted keys, so that equal values have equal text whatever order a client wrote them
 * in. A loop, because every packet is hashed group by group: chains of arrays take half as long
 * again.
 */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const object = value as Readonly<Record<string, unknown>>;
  let members = '';
  for (const key of Object.keys(object).toSorted()) {
    const member = object[key];
    if (member === undefined) continue;
    const separator = members === '' ? '' : ',';
    members += `${separator}${JSON.stringify(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
}

/** SHA-256 of the canonical text. */
export function contentHash(value: unknown): Buffer {
  return sha256(canonicalJson(value));
}
