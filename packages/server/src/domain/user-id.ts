import { LIMITS } from './limits.ts';

/**
 * What a serialised absence looks like. Taken as an id, it would join strangers in one pseudo user.
 */
const PLACEHOLDERS = new Set(['null', 'undefined', '0', 'NaN', '[object Object]']);

/**
 * A customer's user id as it stands, or null when it cannot be one: empty or blank, too long, a
 * placeholder, or not well-formed text. Never trimmed, folded or normalised: `Anna` and `anna ` are
 * two.
 */
export function parseUserId(text: string): string | null {
  if (text.trim() === '' || text.length > LIMITS.userIdCharacters) return null;
  if (PLACEHOLDERS.has(text) || text.includes('\u0000') || !text.isWellFormed()) return null;
  return text;
}
