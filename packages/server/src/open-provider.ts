import { openCredential } from './credentials/open-credential.ts';
import type { Vault } from './credentials/sealing.ts';
import { recordRecovery, recordStop } from './credentials/record-stop.ts';
import { createSharedTokenStore } from './credentials/shared-token-store.ts';
import type { OpenLane } from './dispatcher/lane-book.ts';
import type { DispatcherMetrics } from './dispatcher/metrics.ts';
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
  /** Instead of what each provider takes by itself; null as a rule. */
  readonly answerTimeoutMs: number | null;
}

/** Part of the composition root: opens the provider of a stored credential. */
export function createProviderOpener(options: ProviderOpenerOptions): OpenLane {
  const { db, vault, clock, kinds, answerTimeoutMs } = options;
  const patience = answerTimeoutMs === null ? {} : { answerTimeoutMs };
  return async (credentialRef) => {
    const credential = await openCredential(db, vault, credentialRef);
    if (credential === null) return null;
    const tokens = createSharedTokenStore(db, vault, credential);
    const kind = kinds[credential.provider];
    const { revision } = credential;
    return { ...kind.open(credential, { tokens, clock, ...patience }), revision };
  };
}

/** What a worker counts, as business events. */
export function createDispatcherMetrics(events: Events): DispatcherMetrics {
  const { outcome, receipt, refuted, dispatcherFault: fault } = events;
  return { outcome, receipt, refuted, fault };
}

/** Records on the credential's row, and tells operators, that its lane stands still or goes on. */
export function createLaneObserver(db: Database, clock: Clock, events: Events): LaneObserver {
  return {
    async stopped(at, code) {
      if (await recordStop(db, at, code, clock())) events.credentialStopped(at, code);
    },
    async resumed(at) {
      if (await recordRecovery(db, at, clock())) events.credentialResumed(at);
    },
    failed: events.dispatcherFault,
  };
}
