/**
 * Full jitter: anywhere between nothing and the delay, so that failures do not come back in step.
 */
export function withFullJitter(delayMs: number, random: () => number): number {
  return Math.round(delayMs * random());
}

/**
 * How long a lane stands still after its n-th fault in a row: 1, 2, 4, 8, 16, then 30 seconds, with
 * jitter between half and all of it, so that it never hammers and never sleeps through a recovery.
 */
export function lanePauseMs(faultsInARow: number, random: () => number): number {
  const delayMs = Math.min(1_000 * 2 ** (faultsInARow - 1), 30_000);
  return Math.round(delayMs * (0.5 + random() / 2));
}
