import { LIMITS } from '../domain/limits.ts';
import type { LeasedChunk } from '../store/chunks.ts';
import { heartbeat } from '../store/leases.ts';
import type { Database } from '../store/sql.ts';

/** A chunk that is worked on, and whoever is to know when it belongs to somebody else. */
export interface HeldChunk {
  readonly chunk: LeasedChunk;
  /** Null while there is nothing yet that could be stopped. */
  readonly run: { loseLease(): void } | null;
}

export interface LeaseKeeperOptions {
  /** A connection for nothing but this, so that leases never wait for other work. */
  readonly db: Database;
  /** All that is held at the moment. */
  readonly held: () => readonly HeldChunk[];
  readonly onFault: (error: unknown) => void;
}

/**
 * Prolongs the leases of what a worker holds, one beat after the other, and tells the runs whose
 * chunks somebody else has taken over.
 */
export class LeaseKeeper implements Disposable {
  readonly #options: LeaseKeeperOptions;
  #timer: NodeJS.Timeout | null = null;
  #isBeating = false;

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#beat(), LIMITS.heartbeatMs);
  }

  [Symbol.dispose](): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  /** None while the one before is under way: it would only wait behind it. */
  async #beat(): Promise<void> {
    const { db, held, onFault } = this.#options;
    const all = held();
    if (all.length === 0 || this.#isBeating) return;
    this.#isBeating = true;
    try {
      const chunks = all.map(({ chunk }) => chunk);
      const lost = await heartbeat(db, chunks, LIMITS.leaseMs);
      for (const { chunk, run } of all) if (lost.has(chunk)) run?.loseLease();
    } catch (error) {
      onFault(error);
    } finally {
      this.#isBeating = false;
    }
  }
}
