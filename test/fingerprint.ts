import { createHash } from 'node:crypto';

/** How answers and timelines show a token: the first eight hex digits of its SHA-256. */
export function fingerprint(token: { readonly value: string }): string {
  return createHash('sha256').update(token.value).digest('hex').slice(0, 8);
}
