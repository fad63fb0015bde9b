import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { BackEnd } from '../back-end.ts';

const PAUSE_MS = 50;

/** Looks at reports until all say that their notifications are done; fails after the patience. */
export async function untilFinished(
  backEnd: BackEnd,
  ids: readonly string[],
  patienceMs: number,
): Promise<void> {
  const deadline = performance.now() + patienceMs;
  for (const id of ids) {
    for (;;) {
      const { status, counts } = await backEnd.report(id);
      if ((status as unknown as string) === 'finished') break;
      assert(performance.now() < deadline, `unfinished: ${id} ${JSON.stringify(counts)}`);
      await delay(PAUSE_MS);
    }
  }
}
