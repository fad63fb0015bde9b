import assert from 'node:assert/strict';
import { createApnsKey, createCertificateAuthority, startApnsSimulator } from '@homing/simulators';
import type { ApnsKeyPair, ApnsSimulator, ApnsSimulatorOptions } from '@homing/simulators';
import { createApnsProvider } from '../../src/providers/apns/provider.ts';
import { parseApnsSettings } from '../../src/providers/apns/settings.ts';
import type { ApnsSettings } from '../../src/providers/apns/settings.ts';
import type { ProviderTokenStore } from '../../src/providers/provider-token-store.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { MemoryTokenStore } from './memory-token-store.ts';
import { MovableClock } from './movable-clock.ts';
import { TOPIC } from './pushes.ts';

const authority = await createCertificateAuthority();
const tls = await authority.issue(['127.0.0.1', 'localhost']);

export interface ApnsNetwork extends AsyncDisposable {
  readonly simulator: ApnsSimulator;
  readonly provider: Provider;
  readonly tokens: MemoryTokenStore;
  readonly key: ApnsKeyPair;
  /** Of the provider; the simulator has its own. */
  readonly clock: MovableClock;
  readonly simulatorClock: MovableClock;
  /** Another provider with the same key, as another process would have one. */
  connect(options?: ConnectOptions): Provider;
}

export interface ConnectOptions {
  readonly tokens?: ProviderTokenStore;
  readonly settings?: ApnsSettings;
  readonly production?: string;
  readonly ca?: string | null;
  readonly answerTimeoutMs?: number;
}

function apnsSettings(key: ApnsKeyPair, topics: readonly string[] = [TOPIC]): ApnsSettings {
  const { keyId, teamId, privateKeyPem } = key;
  const parsed = parseApnsSettings({
    keyId,
    teamId,
    privateKeyPem,
    topics,
    environment: 'production',
  });
  assert(parsed.kind === 'settings', JSON.stringify(parsed));
  return parsed.settings;
}

/** A simulator of the production environment and a provider that knows its way there. */
export async function startApnsNetwork(
  options: Partial<ApnsSimulatorOptions> & { readonly answerTimeoutMs?: number } = {},
): Promise<ApnsNetwork> {
  const key = createApnsKey();
  const clock = new MovableClock();
  const simulatorClock = new MovableClock();
  const simulator = await startApnsSimulator({
    environment: 'production',
    tls,
    keys: [key],
    topics: [TOPIC],
    clock: simulatorClock.nowMs,
    ...options,
  });
  const tokens = new MemoryTokenStore();
  const providers: Provider[] = [];
  const connect = (given: ConnectOptions = {}): Provider => {
    const answerTimeoutMs = given.answerTimeoutMs ?? options.answerTimeoutMs;
    const provider = createApnsProvider({
      settings: given.settings ?? apnsSettings(key),
      endpoints: {
        production: given.production ?? simulator.url,
        sandbox: 'https://127.0.0.1:1',
        ca: given.ca === undefined ? authority.certificatePem : given.ca,
      },
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
    key,
    clock,
    simulatorClock,
    connect,
    async [Symbol.asyncDispose]() {
      simulator.faults.clear();
      await Promise.all(providers.map((provider) => provider[Symbol.asyncDispose]()));
      await simulator[Symbol.asyncDispose]();
    },
  };
}
