import { LIMITS } from '../domain/limits.ts';
import { Gathering } from './gathering.ts';
import { flight, isConnectionLost, type Database, type Transaction } from './sql.ts';
import { inRequestTransaction, inTransaction } from './transaction.ts';

type Work = (tx: Transaction) => Promise<unknown>;

/**
 * Transactions that pieces of work share which come at about the same time: their statements go
 * out together, and there is one commit for all. What one of them may do alone is the rule for
 * each: it has no effect outside the transaction and may be run again, it waits for no other piece,
 * and holds no lock that another would wait for. When a round fails, or waits for somebody else,
 * each piece runs once more, alone, so that none can fail another; only a round whose commit is in
 * doubt fails all of them.
 */
export class SharedTransactions {
  readonly #gathering: Gathering<Work, unknown>;

  constructor(db: Database) {
    const options = { lockTimeoutMs: LIMITS.roundLockTimeoutMs, attempts: 1 };
    this.#gathering = new Gathering<Work, unknown>({
      together: (pieces) =>
        inTransaction(db, (tx) => flight(pieces.map((piece) => piece(tx))), options),
      alone: (piece) => inRequestTransaction(db, piece),
      isInDoubt: isConnectionLost,
      atOnce: LIMITS.roundsAtOnce,
      most: LIMITS.roundChunks,
    });
  }

  /** Resolves to what `work` returned once that is committed; fails as a request's transaction. */
  async run<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return (await this.#gathering.ask(work)) as T;
  }
}
