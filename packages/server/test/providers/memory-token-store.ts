import type {
  ProviderToken,
  ProviderTokenStore,
} from '../../src/providers/provider-token-store.ts';

/** The port as one process sees it: the lock is a chain of promises. Counts what was minted. */
export class MemoryTokenStore implements ProviderTokenStore {
  minted = 0;
  #stored: ProviderToken | null;
  #lock: Promise<unknown> = Promise.resolve();

  constructor(stored: ProviderToken | null = null) {
    this.#stored = stored;
  }

  load(): Promise<ProviderToken | null> {
    return Promise.resolve(this.#stored);
  }

  renew(mint: (stored: ProviderToken | null) => Promise<ProviderToken>): Promise<ProviderToken> {
    const renewal = this.#lock.then(async () => {
      const token = await mint(this.#stored);
      if (token !== this.#stored) this.minted += 1;
      this.#stored = token;
      return token;
    });
    this.#lock = renewal.catch(() => {});
    return renewal;
  }
}
