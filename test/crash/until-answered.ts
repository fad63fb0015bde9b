import { setTimeout as delay } from 'node:timers/promises';
import type { Answer } from '../answer.ts';

/** How long a server may need after its database is back; a failure bound, not an expectation. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 20;

/**
 * Repeats a request like a client with an outbox, through refused connections and answers that ask
 * for patience, until the server takes it or refuses it for good. Throws after a minute.
 */
export async function untilAnswered(request: () => Promise<Answer>): Promise<Answer> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const answer = await request().catch(() => null);
    if (answer !== null && answer.status < 500 && answer.status !== 429) return answer;
    if (performance.now() > deadline) {
      throw new Error(`No answer within a minute: ${JSON.stringify(answer?.body ?? null)}`);
    }
    await delay(PAUSE_MS);
  }
}
