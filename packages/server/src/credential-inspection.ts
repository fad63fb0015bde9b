import type { CredentialInspection } from './credentials/credential-inspection.ts';
import { openCredential } from './credentials/open-credential.ts';
import { SealError, type Vault } from './credentials/sealing.ts';
import { createSharedTokenStore } from './credentials/shared-token-store.ts';
import type { Clock } from './domain/clock.ts';
import type { Verification } from './domain/verification.ts';
import type { ProviderKinds } from './provider-kinds.ts';
import { findingOf } from './providers/finding.ts';
import type { OpenProvider } from './providers/provider.ts';
import { createUnsharedTokenStore } from './providers/unshared-token-store.ts';
import type { Database } from './store/sql.ts';

export interface CredentialInspectionOptions {
  readonly db: Database;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly kinds: ProviderKinds;
}

/** Part of the composition root: looks at credentials with the help of their providers. */
export function createCredentialInspection(
  options: CredentialInspectionOptions,
): CredentialInspection {
  const { db, vault, clock, kinds } = options;
  return {
    check(provider, settings) {
      return kinds[provider].divide(settings);
    },
    async verify(provider, settings, signal) {
      const tokens = createUnsharedTokenStore();
      const rate = { perMinute: null, rampSeconds: null };
      return ask(kinds[provider].open({ ref: 0, settings, rate }, { tokens, clock }), signal);
    },
    async verifyStored(credentialRef, signal) {
      try {
        const credential = await openCredential(db, vault, credentialRef);
        if (credential === null) return null;
        const tokens = createSharedTokenStore(db, vault, credential);
        return await ask(kinds[credential.provider].open(credential, { tokens, clock }), signal);
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
        const findings = [findingOf('sealed_otherwise', SEALED_OTHERWISE)];
        return { wasAsked: false, findings, clockAheadMs: null };
      }
    },
    meaningOf(provider, code) {
      const tables = Object.values(kinds[provider].reasons);
      const rows = tables.flatMap((table) => Object.entries(table));
      return rows.find(([key]) => key.endsWith(` ${code}`))?.[1].meaning ?? null;
    },
  };
}

const SEALED_OTHERWISE = {
  weight: 'wrong',
  field: null,
  meaning: 'no master key that this process knows opens the secret of the credential',
  fix: 'Add the master key that it was sealed with to HOMING_MASTER_KEY_PREVIOUS.',
} as const;

async function ask(open: OpenProvider, signal: AbortSignal): Promise<Verification> {
  await using provider = open.provider;
  return await provider.verify(signal);
}
