import assert from 'node:assert/strict';
import {
  createCertificateAuthority,
  createHmsApp,
  createHmsServiceAccount,
  startHmsSimulator,
} from '@homing/simulators';
import type { HmsApp, HmsServiceAccountFile, HmsSimulator } from '@homing/simulators';
import { createHmsProvider } from '../../src/providers/hms/provider.ts';
import { parseHmsSettings } from '../../src/providers/hms/settings.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { MemoryTokenStore } from './memory-token-store.ts';
import { MovableClock } from './movable-clock.ts';

const authority = await createCertificateAuthority();
const tls = await authority.issue(['127.0.0.1', 'localhost']);
const plainApp = createHmsApp();
const account = await createHmsServiceAccount(plainApp.projectId);

export interface HmsNetwork extends AsyncDisposable {
  readonly simulator: HmsSimulator;
  readonly app: HmsApp;
  /** Of the app's service account. */
  readonly keyFile: HmsServiceAccountFile;
  /** Of the app's OAuth client, on the first version of the API. */
  readonly provider: Provider;
  readonly tokens: MemoryTokenStore;
  /** Of the provider and of the simulator. */
  readonly clock: MovableClock;
  /** A provider with other settings, or with another way to the simulator. */
  connect(options?: HmsConnectOptions): Provider;
}

export interface HmsConnectOptions {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly api?: string;
  readonly tokenUrl?: string;
  readonly tokens?: MemoryTokenStore;
  readonly answerTimeoutMs?: number;
}

/** A simulator with one app, and a provider that knows its way there. */
export async function startHmsNetwork(): Promise<HmsNetwork> {
  const clock = new MovableClock();
  const app = { ...plainApp, serviceAccounts: [account] };
  const simulator = await startHmsSimulator({ tls, apps: [app], clock: clock.nowMs });
  const shared = new MemoryTokenStore();
  const providers: Provider[] = [];
  const connect = (given: HmsConnectOptions = {}): Provider => {
    const { appId, clientSecret } = app;
    const parsed = parseHmsSettings(given.settings ?? { appId, clientSecret });
    assert(parsed.kind === 'settings', JSON.stringify(parsed));
    const provider = createHmsProvider({
      settings: parsed.settings,
      endpoints: {
        api: given.api ?? simulator.url,
        token: given.tokenUrl ?? simulator.tokenUrl,
        ca: authority.certificatePem,
      },
      tokens: given.tokens ?? shared,
      clock: clock.now,
      answerTimeoutMs: given.answerTimeoutMs ?? 10_000,
    });
    providers.push(provider);
    return provider;
  };
  return {
    simulator,
    app,
    keyFile: account.json,
    provider: connect(),
    tokens: shared,
    clock,
    connect,
    async [Symbol.asyncDispose]() {
      simulator.faults.clear();
      await Promise.all(providers.map((provider) => provider[Symbol.asyncDispose]()));
      await simulator[Symbol.asyncDispose]();
    },
  };
}
