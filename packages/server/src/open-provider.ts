import type { ProviderEndpoints } from './config/config.ts';
import { openCredential, type OpenCredential } from './credentials/open-credential.ts';
import type { Vault } from './credentials/sealing.ts';
import { recordRecovery, recordStop } from './credentials/record-stop.ts';
import { createSharedTokenStore } from './credentials/shared-token-store.ts';
import type { OpenLane } from './dispatcher/lane-book.ts';
import type { OpenProvider } from './dispatcher/lane.ts';
import type { LaneObserver } from './dispatcher/stop-report.ts';
import type { Clock } from './domain/clock.ts';
import { rateOf } from './domain/rate.ts';
import { createApnsProvider } from './providers/apns/provider.ts';
import { APNS_RETRY_POLICY } from './providers/apns/retry-policy.ts';
import { parseApnsSettings } from './providers/apns/settings.ts';
import { createFcmProvider } from './providers/fcm/provider.ts';
import { FCM_RATE } from './providers/fcm/rate.ts';
import { FCM_RETRY_POLICY } from './providers/fcm/retry-policy.ts';
import { parseFcmSettings } from './providers/fcm/settings.ts';
import type { ProviderTokenStore } from './providers/provider-token-store.ts';
import type { ParsedSettings } from './providers/settings-reader.ts';
import type { Database } from './store/sql.ts';
import type { Events } from './telemetry/events.ts';

export interface ProviderOpenerOptions {
  readonly db: Database;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly endpoints: ProviderEndpoints;
}

/** Part of the composition root: the only place that knows which providers exist. */
export function createProviderOpener(options: ProviderOpenerOptions): OpenLane {
  return async (credentialRef) => {
    const credential = await openCredential(options.db, options.vault, credentialRef);
    const tokens = createSharedTokenStore(options.db, options.vault, credential);
    switch (credential.provider) {
      case 'apns':
        return openApns(options, credential, tokens);
      case 'fcm':
        return openFcm(options, credential, tokens);
      case 'webpush':
      case 'expo':
      case 'hms':
        throw new Error(`the provider ${credential.provider} is not part of this version`);
    }
  };
}

function openApns(
  { clock, endpoints }: ProviderOpenerOptions,
  credential: OpenCredential,
  tokens: ProviderTokenStore,
): OpenProvider {
  const settings = requireSettings(credential, parseApnsSettings(credential.settings));
  const { apns: production, apnsSandbox: sandbox, ca } = endpoints;
  const provider = createApnsProvider({
    settings,
    tokens,
    clock,
    endpoints: { production, sandbox, ca },
  });
  const rate = rateOf(credential.rate, null);
  const bucket = rate === null ? null : { name: `credential/${credential.ref}`, rate };
  return { name: 'apns', provider, policy: APNS_RETRY_POLICY, bucket };
}

function openFcm(
  { clock, endpoints: all }: ProviderOpenerOptions,
  credential: OpenCredential,
  tokens: ProviderTokenStore,
): OpenProvider {
  const endpoints = { api: all.fcm, token: all.googleToken, ca: all.ca };
  const settings = requireSettings(credential, parseFcmSettings(credential.settings, endpoints));
  const provider = createFcmProvider({ settings, tokens, clock, endpoints });
  const rate = rateOf(credential.rate, FCM_RATE);
  // Google counts by project, also where several apps have a key of it.
  const bucket = rate === null ? null : { name: `fcm/${settings.projectId}`, rate };
  return { name: 'fcm', provider, policy: FCM_RETRY_POLICY, bucket };
}

/** Credentials are checked when they are added; a row that fails now was changed by other means. */
function requireSettings<S>(credential: OpenCredential, parsed: ParsedSettings<S>): S {
  if (parsed.kind === 'settings') return parsed.settings;
  const fields = parsed.problems.map((problem) => problem.field).join(', ');
  throw new Error(`credential ${credential.ref} has unusable settings: ${fields}`);
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
