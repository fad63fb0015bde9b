/**
 * Awaits `work`, but no longer than until the signal aborts: then the answer is `fallback`. The
 * work itself goes on, because others may share it.
 */
export async function untilAborted<Result>(
  work: Promise<Result>,
  signal: AbortSignal,
  fallback: Result,
): Promise<Result> {
  if (signal.aborted) return fallback;
  const aborted = Promise.withResolvers<Result>();
  const onAbort = (): void => aborted.resolve(fallback);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
