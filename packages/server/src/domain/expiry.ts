const DAY_MS = 86_400_000;

/** So many days before a credential expires somebody is told, each time anew. */
export const EXPIRY_WARNINGS_DAYS = [30, 7, 1] as const;

/** The days that are left, rounded up; 0 once it has expired. */
export function daysLeft(expiresAt: Date, now: Date): number {
  return Math.max(0, Math.ceil((expiresAt.getTime() - now.getTime()) / DAY_MS));
}

/**
 * The warning that is due: the latest that the time left has come to. Null while there is more
 * time, and where that one, or a later one, was given; `warnedDays` is null before the first.
 */
export function dueWarning(expiresAt: Date, warnedDays: number | null, now: Date): number | null {
  const leftMs = expiresAt.getTime() - now.getTime();
  const due = EXPIRY_WARNINGS_DAYS.findLast((days) => leftMs <= days * DAY_MS) ?? null;
  return due === null || (warnedDays !== null && warnedDays <= due) ? null : due;
}
