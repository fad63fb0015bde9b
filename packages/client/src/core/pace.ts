const FIRST_MS = 1_000;
const LONGEST_MS = 300_000;
/** Chance must not make a loop out of many short waits. */
const SHORTEST_MS = 250;
/** As many requests may follow each other at once, and then one in so many milliseconds. */
const BURST = 20;
const REFILL_MS = 2_000;

/**
 * Where counts of failures in a row begin. The same thing may be told differently twice at once; a
 * system that has no token is asked again after longer than a server.
 */
export const NO_FAILURES = { send: 0, repeat: -2, prove: 0, token: 4 };

/** How long to wait after so many failures in a row: a second, doubling, with full jitter. */
export function backoffMs(failures: number, random: number): number {
  if (failures < 0) return 0;
  return SHORTEST_MS + random * Math.min(LONGEST_MS, FIRST_MS * 2 ** failures);
}

/**
 * The last defence against a hot loop, whatever answers come: when a request may be sent, given
 * when the one after the last one is due at an even pace. `now` or earlier: at once, and it is due
 * itself then. What a clock that is set back makes of it is forgotten.
 */
export function dueAt(last: number, now: number): number {
  const due = last > now ? now : last + REFILL_MS;
  return Math.max(due, now - (BURST - 1) * REFILL_MS);
}
