/** The field is cut off to a second, and has been under way: less than this says nothing. */
const NOTICEABLE_MS = 2_000;

/** Clocks that differ by less are no matter to anybody who checks a signature. */
const TOLERABLE_MS = 30_000;

/**
 * How far our clock is ahead of the one that wrote a `Date` field (RFC 9110 section 6.6.1), to the
 * second, taken when the answer came; 0 where that is within what the field can tell, null without
 * a readable field.
 */
export function clockAheadMs(dateField: string | undefined, now: Date): number | null {
  const theirs = Date.parse(dateField ?? '');
  if (Number.isNaN(theirs)) return null;
  const aheadMs = now.getTime() - theirs;
  return Math.abs(aheadMs) < NOTICEABLE_MS ? 0 : Math.round(aheadMs / 1_000) * 1_000;
}

/** Whether clocks are so far apart that signatures with a time in them may be refused for it. */
export function areClocksApart(aheadMs: number | null): boolean {
  return aheadMs !== null && Math.abs(aheadMs) > TOLERABLE_MS;
}
