import type { ProviderToken, ProviderTokenStore } from './provider-token-store.ts';

/** The tokens of a credential that is not stored, and that nobody else can know. */
export function createUnsharedTokenStore(): ProviderTokenStore {
  let stored: ProviderToken | null = null;
  return {
    async load() {
      return stored;
    },
    async renew(mint) {
      stored = await mint(stored);
      return stored;
    },
  };
}
