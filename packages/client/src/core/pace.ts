const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;
/** Chance must not make a loop out of many short waits. */
const SHORTEST_MS = 250;
/** A server may ask for patience, and not for silence until the next start. */
const LONGEST_ASKED_MS = 3_600_000;
/** As many requests may follow each other at once, and then one in so many milliseconds. */
const BURST = 20;
const REFILL_MS = 2_000;

/** How long to wait after so many failures in a row: a second, doubling, with full jitter. */
export function backoffMs(failures: number, random: number): number {
  return SHORTEST_MS + random * Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
}

/** The seconds of a `Retry-After` header, in milliseconds; 0 where it says nothing of use. */
export function askedMs(header: string | null): number {
  const seconds = /^\d{1,9}$/.test(header ?? '') ? Number(header) : 0;
  return Math.min(LONGEST_ASKED_MS, seconds * 1000);
}

/** What a process may send, whatever answers it gets: the last defence against a hot loop. */
export interface Allowance {
  readonly left: number;
  readonly at: number;
}

export function fullAllowance(now: number): Allowance {
  return { left: BURST, at: now };
}

/** Takes one request from the allowance; `waitMs` is not 0 where there is none left. */
export function spend({ left, at }: Allowance, now: number): Allowance & { waitMs: number } {
  const filled = Math.min(BURST, left + Math.max(0, now - at) / REFILL_MS);
  if (filled >= 1) return { left: filled - 1, at: now, waitMs: 0 };
  return { left: filled, at: now, waitMs: Math.ceil((1 - filled) * REFILL_MS) };
}
