import { readApnsDeviceState } from './apns/device-states.ts';
import type { ApnsSimulator } from './apns/simulator.ts';
import { readExpoDeviceState } from './expo/device-states.ts';
import type { ExpoSimulator } from './expo/simulator.ts';
import { readFcmDeviceState } from './fcm/device-states.ts';
import type { FcmSimulator } from './fcm/simulator.ts';
import type { EntryFilter, ProviderName } from './journal.ts';
import type { DeviceBook } from './device-book.ts';
import { unreachable } from './unreachable.ts';
import { invalid, isRecord } from './variant.ts';
import type { Parsed } from './variant.ts';

export type Simulator = ApnsSimulator | FcmSimulator | ExpoSimulator;

const PROVIDERS: readonly string[] = ['apns', 'fcm', 'expo'] satisfies readonly ProviderName[];
const ENVIRONMENTS: readonly unknown[] = ['production', 'sandbox'];
const DEFAULT_LIMIT = 1000;

/** The simulators of a provider, or of one of its environments; at least one. */
export function chooseSimulators(
  simulators: readonly Simulator[],
  { provider, environment }: Readonly<Record<string, unknown>>,
): Parsed<readonly Simulator[]> {
  if (!isProvider(provider)) return invalid('provider', `must be one of ${PROVIDERS.join(', ')}`);
  const isGiven = environment !== undefined && environment !== null;
  if (isGiven && !ENVIRONMENTS.includes(environment)) {
    return invalid('environment', `must be one of ${ENVIRONMENTS.join(', ')}`);
  }
  const chosen = simulators.filter(
    (simulator) =>
      simulator.provider === provider &&
      (!isGiven || simulator.provider !== 'apns' || simulator.environment === environment),
  );
  return chosen.length === 0
    ? invalid(isGiven ? 'environment' : 'provider', 'is not simulated here')
    : { ok: true, value: chosen };
}

/** Reads the query of the journal. */
export function readJournalQuery(query: URLSearchParams): Parsed<EntryFilter> {
  const provider = query.get('provider') ?? undefined;
  if (provider !== undefined && !isProvider(provider)) {
    return invalid('provider', `must be one of ${PROVIDERS.join(', ')}`);
  }
  const after = wholeNumber(query.get('after') ?? '0');
  if (after === null) return invalid('after', 'must be a whole number');
  const limit = wholeNumber(query.get('limit') ?? String(DEFAULT_LIMIT));
  if (limit === null || limit < 1) return invalid('limit', 'must be a whole number above 0');
  const token = query.get('token');
  return {
    ok: true,
    value: {
      after,
      limit,
      ...(provider === undefined ? {} : { provider }),
      ...(token === null ? {} : { token }),
    },
  };
}

/** Reads `state` and `online` into what is to be done with the device that they are meant for. */
export function readDeviceChange(
  simulator: Simulator,
  body: unknown,
): Parsed<(token: string) => void> {
  if (!isRecord(body)) return invalid('body', 'must be a JSON object');
  const stranger = Object.keys(body).find((name) => name !== 'state' && name !== 'online');
  if (stranger !== undefined) return invalid(stranger, 'is not a field');
  const { state, online } = body;
  if (state === undefined && online === undefined) {
    return invalid('state', 'or online must be given');
  }
  if (online !== undefined && typeof online !== 'boolean') {
    return invalid('online', 'must be true or false');
  }
  const setState = state === undefined ? null : stateSetter(simulator, state);
  if (setState?.ok === false) return setState;
  return {
    ok: true,
    value: (token) => {
      setState?.value(token);
      if (online !== undefined) simulator.devices.setOnline(token, online);
    },
  };
}

function stateSetter(simulator: Simulator, input: unknown): Parsed<(token: string) => void> {
  switch (simulator.provider) {
    case 'apns':
      return setterOf(simulator.devices, readApnsDeviceState(input, 'state'));
    case 'fcm':
      return setterOf(simulator.devices, readFcmDeviceState(input, 'state'));
    case 'expo':
      return setterOf(simulator.devices, readExpoDeviceState(input, 'state'));
    default:
      return unreachable(simulator);
  }
}

function setterOf<State>(
  devices: DeviceBook<State>,
  state: Parsed<State>,
): Parsed<(token: string) => void> {
  if (!state.ok) return state;
  return { ok: true, value: (token) => devices.set(token, state.value) };
}

function isProvider(value: unknown): value is ProviderName {
  return typeof value === 'string' && PROVIDERS.includes(value);
}

function wholeNumber(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
