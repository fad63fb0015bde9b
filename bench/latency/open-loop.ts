import { setTimeout as wait } from 'node:timers/promises';
import { monotonicMs } from './monotonic-clock.ts';

export interface OpenLoop {
  readonly perSecond: number;
  readonly seconds: number;
  readonly interruption: AbortSignal;
}

/**
 * Begins so many operations a second whether or not those before are done, as customers do, and
 * waits for all of them. Throws with the first that fails.
 */
export async function runOpenLoop(
  { perSecond, seconds, interruption }: OpenLoop,
  begin: (index: number) => Promise<void>,
): Promise<void> {
  const startedAtMs = monotonicMs();
  const operations: Promise<void>[] = [];
  const failure = Promise.withResolvers<never>();
  for (let index = 0; index < perSecond * seconds; index += 1) {
    const earlyMs = startedAtMs + (index * 1000) / perSecond - monotonicMs();
    // Timers are no finer than a millisecond; what is due sooner begins at once.
    if (earlyMs >= 1) {
      const due = wait(Math.floor(earlyMs), undefined, { signal: interruption });
      await Promise.race([due, failure.promise]);
    }
    const operation = begin(index);
    operation.catch(failure.reject);
    operations.push(operation);
  }
  await Promise.all(operations);
}
