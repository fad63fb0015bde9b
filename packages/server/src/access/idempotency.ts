import type { Transaction } from '../store/sql.ts';
import {
  findIdempotentAnswer,
  insertIdempotentAnswer,
  tryIdempotencyLock,
} from '../store/idempotency.ts';
import type { RunTransaction } from '../store/transaction.ts';

export interface IdempotentRequest {
  readonly appRef: number;
  /** Null when the caller gave no key: the work simply runs. */
  readonly key: string | null;
  /** Digest of route and canonical body: the same key for another request is an error. */
  readonly bodyHash: Buffer;
}

export interface StoredAnswer {
  readonly status: number;
  readonly body: unknown;
}

export type IdempotentResult =
  | { readonly kind: 'answer'; readonly answer: StoredAnswer; readonly replayed: boolean }
  | { readonly kind: 'running' | 'mismatch' };

/**
 * Runs `work` at most once for a key. The key is stored in the transaction of the effect, so there
 * is no moment at which one exists without the other; the lock dies with its transaction, so a
 * crash strands nothing. Two that share a transaction both have the lock: the second to store the
 * key makes it fail, and alone they meet at the lock.
 */
export async function idempotently(
  run: RunTransaction,
  request: IdempotentRequest,
  work: (tx: Transaction) => Promise<StoredAnswer>,
): Promise<IdempotentResult> {
  return run(async (tx): Promise<IdempotentResult> => {
    const { appRef, key, bodyHash } = request;
    if (key === null) return { kind: 'answer', answer: await work(tx), replayed: false };
    if (!(await tryIdempotencyLock(tx, appRef, key))) return { kind: 'running' };
    const stored = await findIdempotentAnswer(tx, appRef, key);
    if (stored !== null) {
      if (!stored.bodyHash.equals(bodyHash)) return { kind: 'mismatch' };
      return { kind: 'answer', answer: stored, replayed: true };
    }
    const answer = await work(tx);
    await insertIdempotentAnswer(tx, appRef, key, { ...answer, bodyHash });
    return { kind: 'answer', answer, replayed: false };
  });
}
