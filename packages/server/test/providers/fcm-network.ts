import assert from 'node:assert/strict';
import {
  createCertificateAuthority,
  createServiceAccount,
  startFcmSimulator,
} from '@homing/simulators';
import type { FcmSimulator, ServiceAccountFile } from '@homing/simulators';
import { createFcmProvider } from '../../src/providers/fcm/provider.ts';
import { parseFcmSettings } from '../../src/providers/fcm/settings.ts';
import type { FcmEndpoints } from '../../src/providers/fcm/settings.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { MemoryTokenStore } from './memory-token-store.ts';
import { MovableClock } from './movable-clock.ts';
import { PROJECT } from './pushes.ts';

const authority = await createCertificateAuthority();
const tls = await authority.issue(['127.0.0.1', 'localhost']);

export interface FcmNetwork extends AsyncDisposable {
  readonly simulator: FcmSimulator;
  readonly provider: Provider;
  readonly tokens: MemoryTokenStore;
  /** Of the provider and of the simulator. */
  readonly clock: MovableClock;
  readonly keyFile: ServiceAccountFile;
  /** Another provider for the same project, as another process would have one. */
  connect(options?: FcmConnectOptions): Provider;
}

export interface FcmConnectOptions {
  readonly keyFile?: ServiceAccountFile;
  readonly endpoints?: Partial<FcmEndpoints>;
  readonly tokens?: MemoryTokenStore;
  readonly answerTimeoutMs?: number;
}

/** A simulator with one project, and a provider that knows its way there. */
export async function startFcmNetwork(
  options: { readonly answerTimeoutMs?: number } = {},
): Promise<FcmNetwork> {
  const clock = new MovableClock();
  const simulator = await startFcmSimulator({ tls, projects: [], clock: clock.nowMs });
  const account = await createServiceAccount(PROJECT, simulator.tokenUrl);
  simulator.addProject({ projectId: PROJECT, serviceAccounts: [account] });
  const tokens = new MemoryTokenStore();
  const providers: Provider[] = [];
  const connect = (given: FcmConnectOptions = {}): Provider => {
    const endpoints = {
      api: simulator.url,
      token: simulator.tokenUrl,
      ca: authority.certificatePem,
      ...given.endpoints,
    };
    const serviceAccount = { ...(given.keyFile ?? account.json), token_uri: endpoints.token };
    const parsed = parseFcmSettings({ serviceAccount }, endpoints);
    assert(parsed.kind === 'settings', JSON.stringify(parsed));
    const answerTimeoutMs = given.answerTimeoutMs ?? options.answerTimeoutMs;
    const provider = createFcmProvider({
      settings: parsed.settings,
      endpoints,
      tokens: given.tokens ?? tokens,
      clock: clock.now,
      ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }),
    });
    providers.push(provider);
    return provider;
  };
  return {
    simulator,
    provider: connect(),
    tokens,
    clock,
    keyFile: account.json,
    connect,
    async [Symbol.asyncDispose]() {
      simulator.faults.clear();
      await Promise.all(providers.map((provider) => provider[Symbol.asyncDispose]()));
      await simulator[Symbol.asyncDispose]();
    },
  };
}
