const MIN_MS = 1000;
const MAX_MS = 60 * 60 * 1000;

/**
 * Reads a `Retry-After` field: seconds or an HTTP-date (RFC 9110 section 10.2.3). The result is kept
 * between one second and one hour, so that a peer can neither make us spin nor park work for days;
 * null when there is no field or it cannot be read.
 */
export function parseRetryAfterMs(field: string | undefined, now: Date): number | null {
  if (field === undefined) return null;
  const text = field.trim();
  const waitMs = /^\d+$/.test(text)
    ? Number(text) * 1000
    : // Every form of HTTP-date begins with the name of a day; Date.parse alone would take far more.
      Date.parse(/^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)/.test(text) ? text : '') - now.getTime();
  if (Number.isNaN(waitMs)) return null;
  return Math.min(Math.max(waitMs, MIN_MS), MAX_MS);
}
