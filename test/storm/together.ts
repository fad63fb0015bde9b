import { setTimeout as delay } from 'node:timers/promises';

/**
 * Does several things at a time until so much time has passed. One that fails ends all others, so
 * that its failure is seen at once; rejects with it when all have come to their end.
 */
export async function togetherFor(
  durationMs: number,
  begin: (signal: AbortSignal) => readonly Promise<void>[],
): Promise<void> {
  const failure = new AbortController();
  const signal = AbortSignal.any([failure.signal, AbortSignal.timeout(durationMs)]);
  const ended = await Promise.allSettled(
    begin(signal).map((part) =>
      part.catch((error: unknown) => {
        failure.abort();
        throw error;
      }),
    ),
  );
  for (const each of ended) if (each.status === 'rejected') throw each.reason;
}

/** Works after each pause, until the signal; what is begun is done. */
export async function repeat(
  signal: AbortSignal,
  pauseMs: () => number,
  work: () => Promise<void>,
): Promise<void> {
  for (;;) {
    await delay(pauseMs(), null, { signal }).catch(() => null);
    if (signal.aborted) return;
    await work();
  }
}
