import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { EXPO_RECEIPTS_PATH, EXPO_SEND_PATH, EXPO_SENTINELS } from '@homing/simulators';
import { NO_OVERRIDES } from '../../src/domain/message.ts';
import { mayHaveBeenTaken, type Outcome } from '../../src/domain/outcome.ts';
import type { Push } from '../../src/domain/push.ts';
import { expoKind } from '../../src/providers/expo/kind.ts';
import { EXPO_ENDPOINTS } from '../../src/providers/expo/settings.ts';
import { outcomesOf, type Provider, type SendOptions } from '../../src/providers/provider.ts';
import { keepSecret } from '../../src/providers/secret-text.ts';
import { ACCESS_TOKEN, EXPO_PROJECT, startExpoNetwork, type ExpoNetwork } from './expo-network.ts';
import { MemoryTokenStore } from './memory-token-store.ts';
import { expoPushTo, makeExpoPush, makeMessage, soon } from './pushes.ts';

const MINUTE_MS = 60_000;

async function sendOne(provider: Provider, push: Push, options?: SendOptions): Promise<Outcome> {
  const [outcome, ...others] = await outcomesOf(provider, [push], options ?? soon());
  assert(outcome !== undefined && others.length === 0);
  return outcome;
}

function kindsOf(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

function tokenWith(name: string): string {
  return `ExponentPushToken[sim-${name}:${Math.random().toString(36).slice(2)}]`;
}

/** How many requests came in, whatever they carried. */
function requestsOf({ simulator }: ExpoNetwork): readonly (readonly string[])[] {
  const entries = simulator.journal.entries().filter(({ path }) => path === EXPO_SEND_PATH);
  const groups = Map.groupBy(entries, ({ connectionId, atMs, bodyBytes }) =>
    [connectionId, atMs, bodyBytes].join(),
  );
  return [...groups.values()].map((group) => group.map(({ token }) => token ?? ''));
}

describe('the Expo provider', () => {
  it('has a push accepted under the id of its ticket', async () => {
    await using network = await startExpoNetwork();
    assert.equal(await network.provider.prepare(new AbortController().signal), null);
    const push = makeExpoPush();
    const outcome = await sendOne(network.provider, push);
    assert(outcome.kind === 'accepted');
    const [entry] = network.simulator.journal.entries({ token: push.address.token });
    assert.equal(outcome.providerId, entry?.providerId);
  });

  it('has every shape of message taken by the strict parser', async () => {
    await using network = await startExpoNetwork();
    const message = makeMessage({
      url: 'https://example.com/1',
      image: 'https://example.com/1.png',
      data: { parcel: '1' },
      actions: [{ id: 'track', title: 'Track', url: null }],
      badge: 2,
      sound: 'default',
      collapseKey: 'parcel-1',
      overrides: {
        ...NO_OVERRIDES,
        expo: {
          subtitle: 'Parcels',
          channelId: 'parcels',
          categoryId: 'parcel',
          interruptionLevel: 'time-sensitive',
          sound: { critical: true, name: 'default', volume: 0.5 },
          data: { weight: 3 },
        },
      },
    });
    const silent = makeMessage({ silent: true, data: { sync: '1' } });
    const pushes = [
      makeExpoPush({ message, rcpt: 'tag' }),
      makeExpoPush({ message }),
      makeExpoPush({ message: silent }),
      makeExpoPush({ message: makeMessage({ challenge: 'nonce', silent: true }) }),
      makeExpoPush({ expiresAt: new Date(0) }),
      makeExpoPush({ expiresAt: new Date(Date.now() + 365 * 24 * 60 * MINUTE_MS) }),
    ];
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(kindsOf(outcomes), { accepted: pushes.length }, JSON.stringify(outcomes));
  });

  it('puts a hundred pushes into a request, packed, and hears their tickets in order', async () => {
    await using network = await startExpoNetwork();
    const dead = tokenWith('unregistered');
    const pushes = Array.from({ length: 250 }, (_, index) =>
      index === 120 ? expoPushTo(dead) : makeExpoPush(),
    );
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(kindsOf(outcomes), { accepted: 249, token_dead: 1 });
    assert.equal(outcomes[120]?.kind, 'token_dead');
    const sizes = requestsOf(network).map((tokens) => tokens.length);
    assert.deepEqual(
      sizes.toSorted((a, b) => a - b),
      [50, 100, 100],
    );
    const [entry] = network.simulator.journal.entries();
    assert.equal(entry?.headers['content-encoding'], 'gzip');
    assert((entry?.bodyBytes ?? Infinity) < 20_000, 'a hundred like messages pack well');
  });

  it('has no more than six requests under way, and gives back what waits too long', async () => {
    await using network = await startExpoNetwork();
    using hold = network.simulator.faults.hold();
    const pushes = Array.from({ length: 800 }, () => makeExpoPush());
    const options = { startBefore: performance.now() + 700, signal: new AbortController().signal };
    const heard: Outcome[] = [];
    const late = Promise.withResolvers<void>();
    const sending = network.provider.send(pushes, options, (_place, outcome) => {
      heard.push(outcome);
      if (heard.length === 200) late.resolve();
    });
    await late.promise;
    assert.deepEqual(kindsOf(heard), { not_started: 200 });
    assert.equal(network.simulator.connections.length, 6);
    hold.release();
    await sending;
    assert.deepEqual(kindsOf(heard), { not_started: 200, accepted: 600 });
  });

  it('starts nothing too late, nor after the signal, however slow the connection is', async () => {
    // Takes connections, and never says a word of TLS.
    const mute = createServer(() => {});
    const listening = Promise.withResolvers<void>();
    mute.listen(0, '127.0.0.1', listening.resolve);
    await listening.promise;
    const address = mute.address();
    assert(address !== null && typeof address === 'object');
    await using network = await startExpoNetwork();
    const provider = network.connect({ api: `https://127.0.0.1:${address.port}` });
    const { signal } = new AbortController();
    const late = { startBefore: performance.now() + 50, signal };
    assert.deepEqual(await sendOne(provider, makeExpoPush(), late), { kind: 'not_started' });
    const past = { startBefore: performance.now() - 1, signal };
    assert.deepEqual(await sendOne(network.provider, makeExpoPush(), past), {
      kind: 'not_started',
    });
    const stopping = new AbortController();
    const sending = sendOne(provider, makeExpoPush(), soon(stopping.signal));
    stopping.abort();
    assert.deepEqual(await sending, { kind: 'not_started' });
    assert.equal(network.simulator.journal.counters.received, 0);
    mute.close();
  });

  it('divides a batch of several projects and sends each part once', async () => {
    await using network = await startExpoNetwork();
    const strangers = [tokenWith('other-project'), tokenWith('other-project')];
    const own = Array.from({ length: 8 }, () => makeExpoPush());
    const pushes = [expoPushTo(strangers[0] ?? ''), ...own, expoPushTo(strangers[1] ?? '')];
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(kindsOf(outcomes), { accepted: 10 });
    assert.equal(network.simulator.journal.counters.accepted, 10);
    // The whole of it is an entry of its own.
    assert.equal(requestsOf(network).length, 3);
  });

  it('sends nothing to tokens of another project than the one that it is for', async () => {
    await using network = await startExpoNetwork();
    const provider = network.connect({ project: EXPO_PROJECT });
    const stranger = tokenWith('other-project');
    const pushes = [makeExpoPush(), expoPushTo(stranger), makeExpoPush()];
    const outcomes = await outcomesOf(provider, pushes, soon());
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['accepted', 'token_mismatch', 'accepted'],
    );
    assert.equal(
      network.simulator.journal.entries({ token: stranger }).some(({ accepted }) => accepted),
      false,
    );
  });

  it('finds the one push that has a whole batch refused', async () => {
    await using network = await startExpoNetwork();
    const pushes = Array.from({ length: 100 }, (_, index) =>
      index === 37 ? expoPushTo(tokenWith('invalid')) : makeExpoPush(),
    );
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(kindsOf(outcomes), { accepted: 99, payload: 1 });
    const refused = outcomes[37];
    assert(refused?.kind === 'payload');
    assert.equal(refused.code, 'VALIDATION_ERROR');
    assert.equal(network.simulator.journal.counters.accepted, 99);
  });

  it('says of a whole batch that broke off in the middle that it may have been taken', async () => {
    await using network = await startExpoNetwork();
    const pushes = [makeExpoPush(), expoPushTo(tokenWith('breaks')), makeExpoPush()];
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(
      outcomes.map((outcome) => ('code' in outcome ? [outcome.kind, outcome.code] : [])),
      Array.from({ length: 3 }, () => ['transient', 'INTERNAL_SERVER_ERROR']),
    );
    assert(outcomes.every(mayHaveBeenTaken));
    assert.equal(network.simulator.journal.counters.accepted, 1);
  });

  it('shows its access token, where it has one, and stops where one is wanted', async () => {
    await using network = await startExpoNetwork();
    network.simulator.knobs.enhancedSecurity = true;
    const expected = { kind: 'auth', status: 401, code: 'UNAUTHORIZED', scope: 'credential' };
    assert.deepEqual(await sendOne(network.provider, makeExpoPush()), expected);
    const wrong = network.connect({ accessToken: keepSecret('wrong') });
    assert.deepEqual(await sendOne(wrong, makeExpoPush()), expected);
    const right = network.connect({ accessToken: keepSecret(ACCESS_TOKEN) });
    assert.equal((await sendOne(right, makeExpoPush())).kind, 'accepted');
  });

  it('waits with its work when nobody listens', async () => {
    await using network = await startExpoNetwork();
    const provider = network.connect({ api: 'https://127.0.0.1:1' });
    assert.deepEqual(await sendOne(provider, makeExpoPush()), {
      kind: 'transient',
      code: 'connect_failed:ECONNREFUSED',
      status: null,
      retryAfterMs: null,
    });
  });

  it('does not offer what is refused here already, and sends what stands beside it', async () => {
    await using network = await startExpoNetwork();
    const large = makeMessage({ data: { text: 'x'.repeat(4000) } });
    const outcomes = await outcomesOf(
      network.provider,
      [makeExpoPush({ message: large }), makeExpoPush()],
      soon(),
    );
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['payload', 'accepted'],
    );
    assert.equal(network.simulator.journal.counters.received, 1);
  });
});

describe('the rate of an Expo credential', () => {
  it('is its own, whatever project it names, for nothing proves that the project is its own', () => {
    const surroundings = { tokens: new MemoryTokenStore(), clock: () => new Date() };
    const unset = { perMinute: null, rampSeconds: null };
    const [one, other] = [1, 2].map((ref) => {
      const credential = { ref, settings: { project: EXPO_PROJECT }, rate: unset };
      return expoKind(EXPO_ENDPOINTS).open(credential, surroundings);
    });
    assert(one !== undefined && other !== undefined);
    assert.notEqual(one.bucket?.name, other.bucket?.name);
    assert.deepEqual(one.bucket?.rate, { perSecond: 600, rampSeconds: 0 });
  });
});

describe('the receipts of the Expo provider', () => {
  const { signal } = new AbortController();

  it('say what became of pushes, and leave out what is not known', async () => {
    await using network = await startExpoNetwork();
    const { provider, clock } = network;
    const names = ['receipt-unregistered', 'receipt-never', 'receipt-mismatch'];
    const pushes = [makeExpoPush(), ...names.map((name) => expoPushTo(tokenWith(name)))];
    const accepted = await outcomesOf(provider, pushes, soon());
    const ids = accepted.map((one) => (one.kind === 'accepted' ? one.providerId : ''));
    const early = await provider.receipts?.fetch(ids, signal);
    assert(early?.kind === 'receipts');
    assert.equal(early.outcomes.size, 0);
    clock.advance(provider.receipts?.afterMs ?? 0);
    const answer = await provider.receipts?.fetch(ids, signal);
    assert(answer?.kind === 'receipts');
    assert.deepEqual(
      ids.map((id) => answer.outcomes.get(id)?.kind),
      ['accepted', 'token_dead', undefined, 'token_mismatch'],
    );
  });

  it('are asked for in halves when the question is not taken', async () => {
    await using network = await startExpoNetwork();
    const { provider, clock, simulator } = network;
    const pushes = Array.from({ length: 5 }, () => makeExpoPush());
    const accepted = await outcomesOf(provider, pushes, soon());
    const ids = accepted.map((one) => (one.kind === 'accepted' ? one.providerId : ''));
    clock.advance(provider.receipts?.afterMs ?? 0);
    const match = { path: EXPO_RECEIPTS_PATH };
    const fault = { kind: 'answer', status: 400, reason: 'VALIDATION_ERROR' } as const;
    simulator.faults.schedule({ times: 1, match, fault });
    const answer = await provider.receipts?.fetch(ids, signal);
    assert(answer?.kind === 'receipts');
    assert.deepEqual([...answer.outcomes.keys()].toSorted(), ids.toSorted());
    simulator.faults.schedule({ times: Infinity, match, fault });
    const refused = await provider.receipts?.fetch(ids, signal);
    assert(refused?.kind === 'refused' && refused.outcome.kind === 'payload');
  });

  it('are asked for another time when the question is refused, or gets no answer', async () => {
    await using network = await startExpoNetwork();
    const { simulator } = network;
    const match = { path: EXPO_RECEIPTS_PATH };
    const faults = [
      { kind: 'answer', status: 400, reason: 'PUSH_TOO_MANY_RECEIPTS' },
      { kind: 'answer', status: 429, reason: 'TOO_MANY_REQUESTS', retryAfterSeconds: 7 },
      { kind: 'answer', status: 401, reason: 'UNAUTHORIZED' },
      { kind: 'answer', status: 502, reason: '(html)' },
      { kind: 'reset' },
    ] as const;
    const outcomes: unknown[] = [];
    for (const fault of faults) {
      simulator.faults.schedule({ times: 1, match, fault });
      const answer = await network.provider.receipts?.fetch(['a'], signal);
      outcomes.push(answer?.kind === 'refused' ? answer.outcome.kind : answer?.kind);
    }
    assert.deepEqual(outcomes, ['payload', 'throttled', 'auth', 'transient', 'unknown']);
    assert.equal((await network.provider.receipts?.fetch(['a'], signal))?.kind, 'receipts');
  });
});

/** What every sentinel of the simulator comes to, so that none goes untested. */
const SENTINEL_OUTCOMES: Readonly<Record<string, readonly [kind: string, code: string | null]>> = {
  unregistered: ['token_dead', 'ticket:DeviceNotRegistered'],
  'too-big': ['payload', 'ticket:MessageTooBig'],
  rate: ['throttled', 'ticket:MessageRateExceeded'],
  credentials: ['auth', 'ticket:InvalidCredentials'],
  'receipt-unregistered': ['accepted', null],
  'receipt-too-big': ['accepted', null],
  'receipt-rate': ['accepted', null],
  'receipt-mismatch': ['accepted', null],
  'receipt-credentials': ['accepted', null],
  'receipt-developer': ['accepted', null],
  'receipt-expo': ['accepted', null],
  'receipt-provider': ['accepted', null],
  'receipt-never': ['accepted', null],
  'other-project': ['accepted', null],
  invalid: ['payload', 'VALIDATION_ERROR'],
  breaks: ['transient', 'INTERNAL_SERVER_ERROR'],
  unauthorized: ['auth', 'UNAUTHORIZED'],
  throttled: ['throttled', 'TOO_MANY_REQUESTS'],
  'throttled-once': ['throttled', 'TOO_MANY_REQUESTS'],
  unavailable: ['transient', '503'],
  'unavailable-once': ['transient', '503'],
  'slow-1': ['unknown', 'TIMEOUT'],
  silent: ['unknown', 'TIMEOUT'],
  'reset-once': ['unknown', 'NETWORK_AFTER_SEND'],
  'accepted-reset-once': ['unknown', 'NETWORK_AFTER_SEND'],
  'accepted-unavailable-once': ['transient', '503'],
};

describe('a sentinel token of the Expo simulator', () => {
  it('is known to this test, each of them', () => {
    const prefixes = EXPO_SENTINELS.map(({ prefix }) => prefix).toSorted();
    const known = Object.keys(SENTINEL_OUTCOMES).map((name) => `ExponentPushToken[sim-${name}:`);
    assert.deepEqual(prefixes, known.toSorted());
  });

  for (const [name, [kind, code]] of Object.entries(SENTINEL_OUTCOMES)) {
    it(`${name} comes to ${kind} ${code ?? ''}`, async () => {
      await using network = await startExpoNetwork({ answerTimeoutMs: 300 });
      const outcome = await sendOne(network.provider, expoPushTo(tokenWith(name)));
      assert.equal(outcome.kind, kind);
      const said = 'code' in outcome ? outcome.code : null;
      assert.equal(said, code);
      if (name === 'throttled')
        assert('retryAfterMs' in outcome && outcome.retryAfterMs === 30_000);
    });
  }
});
