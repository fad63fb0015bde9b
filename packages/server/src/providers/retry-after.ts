const MIN_MS = 1000;
const MAX_MS = 60 * 60 * 1000;

/** The one form of HTTP-date that may still be generated (RFC 9110 section 5.6.7). */
const HTTP_DATE = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/**
 * Reads a `Retry-After` field: seconds or an HTTP-date (RFC 9110 section 10.2.3). The result is
 * kept between one second and one hour, so that a peer can neither make us spin nor park work for
 * days; null when there is no field or it cannot be read.
 */
export function parseRetryAfterMs(field: string | undefined, now: Date): number | null {
  const text = field?.trim() ?? '';
  const waitMs = readWaitMs(text, now);
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(waitMs, MIN_MS), MAX_MS);
}

function readWaitMs(text: string, now: Date): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  // Date.parse alone takes nearly anything for a date.
  return HTTP_DATE.test(text) ? Date.parse(text) - now.getTime() : Number.NaN;
}
