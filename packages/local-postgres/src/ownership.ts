import { setTimeout as delay } from 'node:timers/promises';
import { claimServer, type ServerAddress } from './claim.ts';
import type { Session } from './session.ts';

const RECLAIM_INTERVAL_MS = 20;

/** What an ownership needs to know about its server. */
export interface OwnedServer {
  readonly address: ServerAddress;
  readonly startedByUs: boolean;
  readonly isAlive: () => Promise<boolean>;
}

/**
 * Keeps the owner's lock for as long as the server lives. A session can end while its server
 * goes on (PostgreSQL ends every session when one of its processes crashes); the lock is then
 * taken again in a new one.
 */
export class Ownership {
  /** Resolves when there is nothing to own any more: the server has ended or has a new owner. */
  readonly ended: Promise<void>;
  readonly #server: OwnedServer;
  #session: Session;
  #stopping = false;

  constructor(session: Session, server: OwnedServer) {
    this.#session = session;
    this.#server = server;
    this.ended = this.#keep();
  }

  /** The session that holds the lock at the moment. */
  get session(): Session {
    return this.#session;
  }

  /** From here on a session that ends is not replaced, as we are ending the server ourselves. */
  stopReclaiming(): void {
    this.#stopping = true;
  }

  async #keep(): Promise<void> {
    for (;;) {
      await this.#session.closed;
      const next = await this.#reclaim();
      if (next === null) return;
      this.#session = next;
    }
  }

  async #reclaim(): Promise<Session | null> {
    while (await this.#server.isAlive()) {
      if (!this.#stopping) {
        const { address, startedByUs } = this.#server;
        const claim = await claimServer(address, startedByUs, true);
        if (claim.kind === 'owned') return claim.session;
        if (claim.kind === 'refused') return null;
      }
      await delay(RECLAIM_INTERVAL_MS);
    }
    return null;
  }
}
