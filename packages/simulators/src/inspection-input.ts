import { readApnsDeviceState } from './apns/device-states.ts';
import type { ApnsSimulator } from './apns/simulator.ts';
import { readExpoDeviceState } from './expo/device-states.ts';
import type { ExpoSimulator } from './expo/simulator.ts';
import { readFcmDeviceState } from './fcm/device-states.ts';
import type { FcmSimulator } from './fcm/simulator.ts';
import { readHmsDeviceState } from './hms/device-states.ts';
import type { HmsSimulator } from './hms/simulator.ts';
import type { EntryFilter, ProviderName } from './journal.ts';
import type { DeviceBook } from './device-book.ts';
import { unreachable } from './unreachable.ts';
import { invalid, isRecord } from './variant.ts';
import type { Parsed } from './variant.ts';
import type { WebPushSimulator } from './webpush/simulator.ts';
import { readWebPushSubscriptionState } from './webpush/subscription-states.ts';

export type Simulator =
  | ApnsSimulator
  | FcmSimulator
  | HmsSimulator
  | WebPushSimulator
  | ExpoSimulator;

const NAMES = ['apns', 'fcm', 'hms', 'webpush', 'expo'] as const satisfies readonly ProviderName[];
const PROVIDERS: readonly string[] = NAMES;
const ENVIRONMENTS: readonly unknown[] = ['production', 'sandbox'];
const DEFAULT_LIMIT = 1000;

/**
 * The simulators of a provider, or of one of its environments, or of one Web Push personality; at
 * least one.
 */
export function chooseSimulators(
  simulators: readonly Simulator[],
  { provider, environment, personality }: Readonly<Record<string, unknown>>,
): Parsed<readonly Simulator[]> {
  if (!isProvider(provider)) return invalid('provider', `must be one of ${PROVIDERS.join(', ')}`);
  const isGiven = environment !== undefined && environment !== null;
  if (isGiven && !ENVIRONMENTS.includes(environment)) {
    return invalid('environment', `must be one of ${ENVIRONMENTS.join(', ')}`);
  }
  const chosen = simulators.filter((simulator) => {
    if (simulator.provider !== provider) return false;
    if (simulator.provider === 'apns') return !isGiven || simulator.environment === environment;
    if (simulator.provider !== 'webpush') return true;
    return personality === undefined || simulator.personality === personality;
  });
  if (chosen.length > 0) return { ok: true, value: chosen };
  if (provider === 'webpush' && personality !== undefined) {
    return invalid('personality', 'is not simulated here');
  }
  return invalid(isGiven ? 'environment' : 'provider', 'is not simulated here');
}

/** The one simulator that a token is for; Web Push endpoints say themselves which it is. */
export function chooseSimulator(
  simulators: readonly Simulator[],
  { provider, environment, token }: Readonly<Record<string, unknown>>,
): Parsed<Simulator> {
  const chosen = chooseSimulators(simulators, { provider, environment });
  if (!chosen.ok) return chosen;
  if (provider === 'webpush') {
    const owner = chosen.value.find(
      (simulator) =>
        simulator.provider === 'webpush' && String(token).startsWith(`${simulator.origin}/`),
    );
    return owner === undefined
      ? invalid('token', 'must be an endpoint of a service that is simulated here')
      : { ok: true, value: owner };
  }
  const [simulator, second] = chosen.value;
  return simulator === undefined || second !== undefined
    ? invalid('environment', 'must be production or sandbox: both are simulated')
    : { ok: true, value: simulator };
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
    case 'hms':
      return setterOf(simulator.devices, readHmsDeviceState(input, 'state'));
    case 'webpush':
      return setterOf(simulator.devices, readWebPushSubscriptionState(input, 'state'));
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
