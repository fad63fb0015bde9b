import { createCertificateAuthority, startExpoSimulator } from '@homing/simulators';
import type { ExpoSimulator } from '@homing/simulators';
import { createExpoProvider } from '../../src/providers/expo/provider.ts';
import type { ExpoSettings } from '../../src/providers/expo/settings.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { MovableClock } from './movable-clock.ts';

const authority = await createCertificateAuthority();
const tls = await authority.issue(['127.0.0.1', 'localhost']);

export const EXPO_PROJECT = '@parcels/app';
export const ACCESS_TOKEN = 'token-of-the-parcels';

export interface ExpoNetwork extends AsyncDisposable {
  readonly simulator: ExpoSimulator;
  readonly provider: Provider;
  /** Of the provider and of the simulator. */
  readonly clock: MovableClock;
  /** Another provider, as another credential would have one. */
  connect(options?: ExpoConnectOptions): Provider;
}

export interface ExpoConnectOptions extends Partial<ExpoSettings> {
  readonly api?: string;
  readonly answerTimeoutMs?: number;
}

/** A simulator with one project, and a provider that knows its way there. */
export async function startExpoNetwork(
  options: Pick<ExpoConnectOptions, 'answerTimeoutMs'> = {},
): Promise<ExpoNetwork> {
  const clock = new MovableClock();
  const accessTokens = [ACCESS_TOKEN];
  const simulator = await startExpoSimulator({
    tls,
    project: EXPO_PROJECT,
    accessTokens,
    clock: clock.nowMs,
  });
  const providers: Provider[] = [];
  const connect = (given: ExpoConnectOptions = {}): Provider => {
    const { accessToken = null, project = null, api = simulator.url } = given;
    const { answerTimeoutMs } = { ...options, ...given };
    const provider = createExpoProvider({
      settings: { accessToken, project },
      endpoints: { api, ca: authority.certificatePem },
      clock: clock.now,
      ...(answerTimeoutMs === undefined ? {} : { answerTimeoutMs }),
    });
    providers.push(provider);
    return provider;
  };
  return {
    simulator,
    provider: connect(),
    clock,
    connect,
    async [Symbol.asyncDispose]() {
      simulator.faults.clear();
      await Promise.all(providers.map((provider) => provider[Symbol.asyncDispose]()));
      await simulator[Symbol.asyncDispose]();
    },
  };
}
