import { openCredential } from './credentials/open-credential.ts';
import type { Vault } from './credentials/sealing.ts';
import { recordRecovery, recordStop } from './credentials/record-stop.ts';
import { createSharedTokenStore } from './credentials/shared-token-store.ts';
import type { OpenLane } from './dispatcher/lane-book.ts';
import type { LaneObserver } from './dispatcher/stop-report.ts';
import type { Clock } from './domain/clock.ts';
import type { ProviderKinds } from './provider-kinds.ts';
import type { Database } from './store/sql.ts';
import type { Events } from './telemetry/events.ts';

export interface ProviderOpenerOptions {
  readonly db: Database;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly kinds: ProviderKinds;
}

/** Part of the composition root: opens the provider of a stored credential. */
export function createProviderOpener(options: ProviderOpenerOptions): OpenLane {
  const { db, vault, clock, kinds } = options;
  return async (credentialRef) => {
    const credential = await openCredential(db, vault, credentialRef);
    if (credential === null) return null;
    const tokens = createSharedTokenStore(db, vault, credential);
    const kind = kinds[credential.provider];
    if (kind === null) {
      throw new Error(`the provider ${credential.provider} is not part of this version`);
    }
    const { revision } = credential;
    return { ...kind.open(credential, { tokens, clock }), revision };
  };
}

/** Records on the credential's row, and tells operators, that its lane stands still or goes on. */
export function createLaneObserver(db: Database, clock: Clock, events: Events): LaneObserver {
  return {
    async stopped(credentialRef, code) {
      const isNew = await recordStop(db, credentialRef, code, clock());
      if (isNew) events.credentialStopped(credentialRef, code);
    },
    async resumed(credentialRef) {
      const wasStopped = await recordRecovery(db, credentialRef, clock());
      if (wasStopped) events.credentialResumed(credentialRef);
    },
    failed: events.dispatcherFault,
  };
}
