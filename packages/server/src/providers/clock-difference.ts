/** Clocks that differ by less are no matter; `Date` fields themselves are good to a second. */
const TOLERABLE_MS = 30_000;

/**
 * How far our clock is ahead of the one that wrote a `Date` field (RFC 9110 section 6.6.1), to the
 * second, taken when the answer came; null without a readable field.
 */
export function clockAheadMs(dateField: string | undefined, now: Date): number | null {
  const theirs = Date.parse(dateField ?? '');
  if (Number.isNaN(theirs)) return null;
  return Math.round((now.getTime() - theirs) / 1_000) * 1_000;
}

/** Whether clocks are so far apart that signatures with a time in them may be refused for it. */
export function areClocksApart(aheadMs: number | null): boolean {
  return aheadMs !== null && Math.abs(aheadMs) > TOLERABLE_MS;
}
