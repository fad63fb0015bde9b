import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { createLogger } from '@homing/server';
import { EXPO_RECEIPTS_PATH, type Fault } from '@homing/simulators';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { createFrozenClock } from '../clock.ts';
import { assertConserved } from '../conservation.ts';
import { Device, expoToken } from '../device.ts';
import { EXPO_PROJECT, startNetwork, type Network } from '../network.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** After this an unchanged check-in would have been written, so that a word on a token counts. */
const LONG_MS = 7 * HOUR_MS;

/** How Expo is made to give an answer, and what is to come of it. */
interface Row {
  /** By a token that brings it about, or by what happens to the next request. */
  readonly told: { readonly sentinel: string } | { readonly fault: Fault; readonly path?: string };
  /** State, reason and code of the delivery; `pending` where no attempt was made. */
  readonly delivery: readonly [state: string, reason: string | null, code: string | null];
  /** Of the installation afterwards; it is active where nothing is said. */
  readonly status?: 'retired' | 'quarantined';
  /** Whether the credential counts as refused. */
  readonly stops?: true;
  /** Whether other phones of the same credential have to wait. */
  readonly othersWait?: true;
}

function answer(status: number, reason: string, retryAfterSeconds?: number): Fault {
  const fault = { kind: 'answer', status, reason } as const;
  return retryAfterSeconds === undefined ? fault : { ...fault, retryAfterSeconds };
}

function failed(reason: string, code: string) {
  return { delivery: ['failed', reason, code] } as const;
}

const WAITS = { delivery: ['pending', null, null], othersWait: true } as const;
const REFUSED = { ...WAITS, stops: true } as const;

/** By the catalogue's status and code; `-` where there is no HTTP answer. */
const ROWS: Readonly<Record<string, Row>> = {
  '200 ticket:DeviceNotRegistered': {
    told: { sentinel: 'unregistered' },
    ...failed('token_dead', 'ticket:DeviceNotRegistered'),
    status: 'retired',
  },
  '200 receipt:DeviceNotRegistered': {
    told: { sentinel: 'receipt-unregistered' },
    ...failed('token_dead', 'receipt:DeviceNotRegistered'),
    status: 'retired',
  },
  '200 receipt:MessageTooBig': {
    told: { sentinel: 'receipt-too-big' },
    ...failed('payload', 'receipt:MessageTooBig'),
  },
  '200 ticket:MessageTooBig': {
    told: { sentinel: 'too-big' },
    ...failed('payload', 'ticket:MessageTooBig'),
  },
  '200 receipt:MessageRateExceeded': {
    told: { sentinel: 'receipt-rate' },
    delivery: ['retrying', 'throttled', 'receipt:MessageRateExceeded'],
  },
  '200 ticket:MessageRateExceeded': {
    told: { sentinel: 'rate' },
    delivery: ['retrying', 'throttled', 'ticket:MessageRateExceeded'],
  },
  '200 receipt:MismatchSenderId': {
    told: { sentinel: 'receipt-mismatch' },
    ...failed('token_mismatch', 'receipt:MismatchSenderId'),
    status: 'quarantined',
  },
  '200 receipt:InvalidCredentials': {
    told: { sentinel: 'receipt-credentials' },
    ...failed('auth', 'receipt:InvalidCredentials'),
    stops: true,
    othersWait: true,
  },
  '200 ticket:InvalidCredentials': { told: { sentinel: 'credentials' }, ...REFUSED },
  '200 receipt:DeveloperError': {
    told: { sentinel: 'receipt-developer' },
    ...failed('payload', 'receipt:DeveloperError'),
  },
  '200 receipt:ExpoError': {
    told: { sentinel: 'receipt-expo' },
    ...failed('transient', 'receipt:ExpoError'),
  },
  '200 receipt:ProviderError': {
    told: { sentinel: 'receipt-provider' },
    ...failed('unclassified', 'receipt:ProviderError'),
  },
  '200 receipt:(missing id)': {
    told: { sentinel: 'receipt-never' },
    delivery: ['accepted', null, null],
  },
  '400 PUSH_TOO_MANY_EXPERIENCE_IDS': {
    told: { fault: answer(400, 'PUSH_TOO_MANY_EXPERIENCE_IDS') },
    ...failed('payload', 'PUSH_TOO_MANY_EXPERIENCE_IDS'),
  },
  '400 PUSH_TOO_MANY_NOTIFICATIONS': {
    told: { fault: answer(400, 'PUSH_TOO_MANY_NOTIFICATIONS') },
    ...failed('payload', 'PUSH_TOO_MANY_NOTIFICATIONS'),
  },
  '400 PUSH_TOO_MANY_RECEIPTS': {
    told: { fault: answer(400, 'PUSH_TOO_MANY_RECEIPTS'), path: EXPO_RECEIPTS_PATH },
    delivery: ['accepted', null, null],
  },
  '400 VALIDATION_ERROR': {
    told: { sentinel: 'invalid' },
    ...failed('payload', 'VALIDATION_ERROR'),
  },
  '401 UNAUTHORIZED': { told: { fault: answer(401, 'UNAUTHORIZED') }, ...REFUSED },
  '400 UNAUTHORIZED': { told: { fault: answer(400, 'UNAUTHORIZED') }, ...REFUSED },
  '403 UNAUTHORIZED': { told: { fault: answer(403, 'UNAUTHORIZED') }, ...REFUSED },
  '429 TOO_MANY_REQUESTS': { told: { fault: answer(429, 'TOO_MANY_REQUESTS', 30) }, ...WAITS },
  '5xx *': {
    told: { fault: answer(503, '(html)') },
    delivery: ['retrying', 'transient', '503'],
  },
  '413 *': { told: { fault: answer(413, '(html)') }, ...failed('payload', '413') },
  '400 *': { told: { fault: answer(400, 'BRAND_NEW') }, ...failed('payload', 'BRAND_NEW') },
  // A deadline of 20 seconds is no matter for a test of seconds; this one is judged alike.
  '- TIMEOUT': {
    told: { fault: { kind: 'accept_then_reset' } },
    delivery: ['retrying', 'unknown', 'NETWORK_AFTER_SEND'],
  },
};

/** An app of its own for each row, so that no row meets what another one did to its credential. */
async function openShop(network: Network) {
  const app = await network.provision({ credentials: { expo: { project: EXPO_PROJECT } } });
  const backEnd = new BackEnd(network.url, app.secretKey);
  const phoneOf = async (userId: string, token: ReturnType<typeof expoToken>) => {
    const phone = new Device(network.url, app, network.issuer);
    assertAnswered(await phone.register(token, userId), 201);
    return phone;
  };
  return { backEnd, phoneOf };
}

async function pass(network: Network, ms: number): Promise<void> {
  await network.clock.advance(ms);
  await network.drain();
}

/** The only delivery of a notification, as the ledger has it; pending where it has none. */
async function deliveryOf(backEnd: BackEnd, id: string) {
  const report = await backEnd.report(id);
  assertConserved(report);
  const [row, ...others] = await backEnd.deliveries(id);
  assert.equal(others.length, 0);
  const counts = report['counts'] as unknown as Readonly<Record<string, number>>;
  if (row === undefined) return counts['pending'] === 1 ? ['pending', null, null] : [];
  const state = row['state'] as unknown as string;
  assert.equal(counts[state], 1, 'the report counts what the ledger says');
  return [state, row['reason'], row['code']];
}

async function alertsOf(backEnd: BackEnd): Promise<readonly unknown[]> {
  const { body } = await backEnd.get('/v1/alerts?open=true');
  return (body['data'] as unknown as readonly { readonly kind: string }[]).map(({ kind }) => kind);
}

describe('an answer of Expo', () => {
  let network: Network;

  before(async () => {
    const overrides = { random: () => 0.5 };
    // Refused credentials are told of at length otherwise.
    const logger = createLogger('silent');
    network = await startNetwork({ clock: createFrozenClock(), overrides, logger });
  });

  after(() => network[Symbol.asyncDispose]());

  test('is known to this file, each of the catalogue', () => {
    const file = new URL('../../packages/server/test/data/provider-errors.json', import.meta.url);
    const catalogue = JSON.parse(readFileSync(file, 'utf8')) as readonly {
      readonly provider: string;
      readonly status: number | string | null;
      readonly code: string;
    }[];
    const keys = catalogue
      .filter(({ provider }) => provider === 'expo')
      .map(({ status, code }) => `${status ?? '-'} ${code}`);
    assert.deepEqual(Object.keys(ROWS).toSorted(), keys.toSorted());
  });

  for (const [key, row] of Object.entries(ROWS)) {
    test(`${key} does what its row says, and nothing else`, async () => {
      const { backEnd, phoneOf } = await openShop(network);
      const { told } = row;
      const sentinel = 'sentinel' in told ? `ExponentPushToken[sim-${told.sentinel}:` : undefined;
      const phone = await phoneOf('sara', expoToken(sentinel));
      await phoneOf('anna', expoToken());
      await pass(network, LONG_MS);
      if ('fault' in told) {
        const match = told.path === undefined ? {} : { path: told.path };
        network.expo.faults.schedule({ times: 1, match, fault: told.fault });
      }

      const id = await backEnd.sendToUsers(['sara']);
      await network.drain();
      // What is throttled or refused waits for seconds; receipts come after minutes.
      const isLater = key.includes('receipt:') || 'path' in told;
      if (isLater) await pass(network, 15 * MINUTE_MS);

      assert.deepEqual(await deliveryOf(backEnd, id), row.delivery);
      const { status } = await backEnd.installation(phone.id);
      assert.equal(status, row.status ?? 'active');
      assert.deepEqual(await alertsOf(backEnd), row.stops ? ['credential_stopped'] : []);
      const other = await backEnd.sendToUsers(['anna']);
      await network.drain();
      const [state] = await deliveryOf(backEnd, other);
      assert.equal(state, row.othersWait ? 'pending' : 'accepted');
      network.expo.faults.clear();
    });
  }
});
