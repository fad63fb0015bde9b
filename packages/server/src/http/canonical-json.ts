import { hash } from 'node:crypto';

/**
 * JSON with sorted keys, so that equal values have equal text whatever order a client wrote them
 * in.
 */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(',')}}`;
}

/** SHA-256 of the canonical text. */
export function contentHash(value: unknown): Buffer {
  return hash('sha256', canonicalJson(value), 'buffer');
}
