import { LIMITS } from './limits.ts';

/**
 * What a serialised absence looks like. Taken as an id, it would join strangers in one pseudo user.
 */
const PLACEHOLDERS = new Set(['null', 'undefined', '0', 'NaN', '[object Object]']);

/**
 * Every client resolves them before it asks (RFC 3986, section 5.2.4), percent-encoded or not, so
 * that no path could name such a user, to sign them out or to erase them.
 */
const DOT_SEGMENTS = new Set(['.', '..']);

/**
 * A customer's user id as it stands, or null when it cannot be one: empty or blank, too long, a
 * placeholder, a segment of dots, or not well-formed text. Never trimmed, folded or normalised:
 * `Anna` and `anna ` are two.
 */
export function parseUserId(text: string): string | null {
  if (text.trim() === '' || text.length > LIMITS.userIdCharacters) return null;
  if (PLACEHOLDERS.has(text) || DOT_SEGMENTS.has(text)) return null;
  if (text.includes('\u0000') || !text.isWellFormed()) return null;
  return text;
}
