import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { APNS_SENTINELS } from '@homing/simulators';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Push } from '../../src/domain/push.ts';
import { outcomesOf, type Provider, type SendOptions } from '../../src/providers/provider.ts';
import { startApnsNetwork } from './apns-network.ts';
import { apnsPushTo, LIVE_APNS_TOKEN, makeApnsPush, soon, TOPIC } from './pushes.ts';

const MINUTE_MS = 60_000;

async function sendOne(provider: Provider, push: Push, options?: SendOptions): Promise<Outcome> {
  const [outcome, ...others] = await outcomesOf(provider, [push], options ?? soon());
  assert(outcome !== undefined && others.length === 0);
  return outcome;
}

function tokenWith(prefix: string): string {
  return prefix.padEnd(64, '0');
}

function kindsOf(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind } of outcomes) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

describe('the APNs provider', () => {
  it('has a push accepted under the id that Homing gave it', async () => {
    await using network = await startApnsNetwork();
    const push = makeApnsPush({ rcpt: 'tag' });
    assert.equal(await network.provider.prepare(new AbortController().signal), null);
    const outcome = await sendOne(network.provider, push);
    assert.deepEqual(outcome, { kind: 'accepted', providerId: push.id });
    const [entry] = network.simulator.journal.entries();
    assert.equal(entry?.bodyBytes, network.provider.measure(push));
    assert.equal(entry.headers['apns-collapse-id'], push.id);
  });

  it('has silent pushes taken as well', async () => {
    await using network = await startApnsNetwork();
    const silent = { ...makeApnsPush().message, silent: true };
    const outcome = await sendOne(network.provider, makeApnsPush({ message: silent }));
    assert.equal(outcome.kind, 'accepted');
  });

  it('reports a removed app with the time from which the token is dead', async () => {
    await using network = await startApnsNetwork();
    const atMs = Date.UTC(2026, 0, 2, 3, 4, 5);
    network.simulator.devices.set(LIVE_APNS_TOKEN, { kind: 'unregistered', atMs });
    assert.deepEqual(await sendOne(network.provider, makeApnsPush()), {
      kind: 'token_dead',
      status: 410,
      code: 'Unregistered',
      since: new Date(atMs),
    });
  });

  it('answers in the order of the pushes', async () => {
    await using network = await startApnsNetwork();
    const tokens = [LIVE_APNS_TOKEN, tokenWith('dead0410'), tokenWith('dead0400')];
    const outcomes = await outcomesOf(network.provider, tokens.map(apnsPushTo), soon());
    const kinds = outcomes.map(({ kind }) => kind);
    assert.deepEqual(kinds, ['accepted', 'token_dead', 'token_mismatch']);
  });

  it('sends hundreds at once although the first connection begins with one stream', async () => {
    await using network = await startApnsNetwork();
    const pushes = Array.from({ length: 250 }, () => makeApnsPush());
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(kindsOf(outcomes), { accepted: 250 });
    const ids = network.simulator.journal.entries().map(({ providerId }) => providerId);
    assert.deepEqual(new Set(ids), new Set(pushes.map(({ id }) => id)));
    assert.equal(ids.length, 250, 'nothing was refused or sent twice');
  });

  it('keeps sending when every error takes the connection back to one stream', async () => {
    await using network = await startApnsNetwork({ knobs: { dropsStreamsAfterError: true } });
    const pushes = Array.from({ length: 15 }, (_, index) =>
      apnsPushTo(index % 5 === 0 ? tokenWith('dead0400') : LIVE_APNS_TOKEN),
    );
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(kindsOf(outcomes), { accepted: 12, token_mismatch: 3 });
  });

  it('sends again at once what a GOAWAY left unprocessed, and awaits the rest', async () => {
    await using network = await startApnsNetwork();
    await sendOne(network.provider, makeApnsPush());
    using hold = network.simulator.faults.hold({ token: tokenWith('aa') }, 'answer');
    const early = sendOne(network.provider, apnsPushTo(tokenWith('aa')));
    await hold.arrived();
    const late = await sendOne(network.provider, apnsPushTo(tokenWith('beef0000')));
    assert.equal(late.kind, 'accepted');
    hold.release();
    assert.equal((await early).kind, 'accepted');
    const entries = network.simulator.journal.entries({ token: tokenWith('beef0000') });
    assert.deepEqual(
      entries.map(({ accepted }) => accepted),
      [false, true],
    );
    assert.notEqual(entries[0]?.connectionId, entries[1]?.connectionId);
  });

  it('gives a push back unsent when the peer refuses it again and again', async () => {
    await using network = await startApnsNetwork();
    network.simulator.faults.schedule({ times: 100, fault: { kind: 'refused_stream' } });
    assert.deepEqual(await sendOne(network.provider, makeApnsPush()), { kind: 'not_started' });
    assert.equal(network.simulator.journal.counters.received, 4);
  });

  it('waits with its work when nobody listens', async () => {
    await using network = await startApnsNetwork();
    const provider = network.connect({ production: 'https://127.0.0.1:1' });
    const outcomes = await outcomesOf(provider, [makeApnsPush(), makeApnsPush()], soon());
    const outcome = {
      kind: 'transient',
      code: 'connect_failed:ECONNREFUSED',
      status: null,
      retryAfterMs: null,
    };
    assert.deepEqual(outcomes, [outcome, outcome]);
  });

  it('waits with its work when the certificate is not to be trusted', async () => {
    await using network = await startApnsNetwork();
    const outcome = await sendOne(network.connect({ ca: null }), makeApnsPush());
    assert(outcome.kind === 'transient');
    assert.match(outcome.code, /^connect_failed:.*(CERT|SIGNATURE|ISSUER)/);
    assert.equal(network.simulator.journal.counters.received, 0);
  });

  it('does not know what became of a push when the answer is a reset', async () => {
    await using network = await startApnsNetwork();
    const expected = { kind: 'unknown', code: 'NETWORK_AFTER_SEND', status: null };
    for (const prefix of ['c105ed00', 'accede00']) {
      assert.deepEqual(await sendOne(network.provider, apnsPushTo(tokenWith(prefix))), expected);
      assert.equal((await sendOne(network.provider, makeApnsPush())).kind, 'accepted');
    }
  });

  it('does not know what became of a push that is not answered in time', async () => {
    await using network = await startApnsNetwork({ answerTimeoutMs: 100 });
    const outcome = await sendOne(network.provider, apnsPushTo(tokenWith('fade0000')));
    assert.deepEqual(outcome, { kind: 'unknown', code: 'TIMEOUT', status: null });
  });

  it('gives back unsent what finds no stream in time, and what is cancelled', async () => {
    await using network = await startApnsNetwork();
    await sendOne(network.provider, makeApnsPush());
    const notStarted = { kind: 'not_started' };
    const late = { startBefore: performance.now() - 1, signal: new AbortController().signal };
    assert.deepEqual(await sendOne(network.provider, makeApnsPush(), late), notStarted);
    const cancelled = soon(AbortSignal.abort());
    assert.deepEqual(await sendOne(network.provider, makeApnsPush(), cancelled), notStarted);
    assert.equal(network.simulator.journal.counters.received, 1);
  });

  it('takes back what waits for a stream when its time is up, but not what is under way', async () => {
    await using network = await startApnsNetwork({ knobs: { maxConcurrentStreams: 1 } });
    using hold = network.simulator.faults.hold();
    const cancel = new AbortController();
    const inTime = { startBefore: performance.now() + 300, signal: cancel.signal };
    const first = outcomesOf(
      network.provider,
      [makeApnsPush(), makeApnsPush(), makeApnsPush()],
      inTime,
    );
    const second = outcomesOf(network.provider, [makeApnsPush()], soon(cancel.signal));
    // Two connections of one stream each are taken; the others wait.
    await hold.arrived(2);
    cancel.abort();
    assert.deepEqual(await second, [{ kind: 'not_started' }]);
    hold.release();
    assert.deepEqual(kindsOf(await first), { accepted: 2, not_started: 1 });
  });

  it('gives back by the deadline what no stream was free for', async () => {
    await using network = await startApnsNetwork({ knobs: { maxConcurrentStreams: 1 } });
    using hold = network.simulator.faults.hold();
    const options = { startBefore: performance.now() + 400, signal: new AbortController().signal };
    const pushes = [makeApnsPush(), makeApnsPush(), makeApnsPush()];
    const sent = pushes.map((push) => sendOne(network.provider, push, options));
    await hold.arrived(2);
    assert.deepEqual(await sent[2], { kind: 'not_started' });
    hold.release();
    assert.deepEqual(kindsOf(await Promise.all(sent)), { accepted: 2, not_started: 1 });
  });

  it('renews an expired provider token once, on new connections, for all that is under way', async () => {
    await using network = await startApnsNetwork();
    const { provider, clock, simulatorClock, tokens } = network;
    assert.equal((await sendOne(provider, makeApnsPush())).kind, 'accepted');
    // By our clock the token is 40 minutes old and good; by Apple's it is 70.
    clock.advance(40 * MINUTE_MS);
    simulatorClock.advance(70 * MINUTE_MS);
    const pushes = Array.from({ length: 100 }, () => makeApnsPush());
    assert.deepEqual(kindsOf(await outcomesOf(provider, pushes, soon())), { accepted: 100 });
    assert.equal(tokens.minted, 2);
  });

  it('heals although the waiting pushes were prepared with the expired token', async () => {
    await using network = await startApnsNetwork();
    const { provider, clock, simulatorClock, tokens } = network;
    await provider.prepare(new AbortController().signal);
    clock.advance(40 * MINUTE_MS);
    simulatorClock.advance(70 * MINUTE_MS);
    // One stream until the first good token: most of these wait while the first one is refused.
    const pushes = Array.from({ length: 100 }, () => makeApnsPush());
    assert.deepEqual(kindsOf(await outcomesOf(provider, pushes, soon())), { accepted: 100 });
    assert.equal(tokens.minted, 2);
  });

  it('does not sign again when a young token is refused as expired', async () => {
    await using network = await startApnsNetwork();
    network.simulatorClock.advance(70 * MINUTE_MS);
    const outcome = await sendOne(network.provider, makeApnsPush());
    assert.deepEqual(outcome, {
      kind: 'auth',
      status: 403,
      code: 'ExpiredProviderToken',
      scope: 'credential',
    });
    assert.equal(network.tokens.minted, 1);
    assert.equal(network.simulator.journal.counters.received, 1);
  });

  it('shares one token between processes for hours, so that APNs never sees too many', async () => {
    await using network = await startApnsNetwork();
    const providers = [network.provider, network.connect()];
    for (let minutes = 0; minutes <= 180; minutes += 5) {
      const outcomes = await Promise.all(
        providers.map((provider) => sendOne(provider, makeApnsPush())),
      );
      assert.deepEqual(kindsOf(outcomes), { accepted: 2 }, `after ${minutes} minutes`);
      network.clock.advance(5 * MINUTE_MS);
      network.simulatorClock.advance(5 * MINUTE_MS);
    }
    assert.equal(network.tokens.minted, 4);
    const credentials = network.simulator.journal.entries().map(({ credential }) => credential);
    assert.equal(new Set(credentials).size, 4);
  });

  it('opens a new connection when a young one would see a second token', async () => {
    await using network = await startApnsNetwork();
    const { provider, clock, simulatorClock } = network;
    assert.equal(await provider.prepare(new AbortController().signal), null);
    clock.advance(45 * MINUTE_MS);
    simulatorClock.advance(45 * MINUTE_MS);
    assert.equal((await sendOne(provider, makeApnsPush())).kind, 'accepted');
    clock.advance(10 * MINUTE_MS);
    simulatorClock.advance(10 * MINUTE_MS);
    assert.equal((await sendOne(provider, makeApnsPush())).kind, 'accepted');
  });

  it('waits with its work when the shared token cannot be read', async () => {
    await using network = await startApnsNetwork();
    const broken = { load: () => Promise.reject(new Error('down')), renew: () => assert.fail() };
    const provider = network.connect({ tokens: broken });
    const obstacle = await provider.prepare(new AbortController().signal);
    assert(obstacle?.kind === 'transient');
    assert.equal(obstacle.code, 'provider_token_unavailable');
    assert.deepEqual(await sendOne(provider, makeApnsPush()), obstacle);
  });

  it('offers nothing that its key cannot reach', async () => {
    await using network = await startApnsNetwork();
    const address = { provider: 'apns', topic: TOPIC, token: LIVE_APNS_TOKEN } as const;
    const sandbox = makeApnsPush({ address: { ...address, environment: 'sandbox' } });
    assert.equal((await sendOne(network.provider, sandbox)).kind, 'token_mismatch');
    const elsewhere = { ...address, environment: 'production', topic: 'com.example.x' } as const;
    const outcome = await sendOne(network.provider, makeApnsPush({ address: elsewhere }));
    assert.deepEqual(outcome, {
      kind: 'auth',
      code: 'topic_not_configured',
      status: null,
      scope: 'topic',
    });
    assert.equal(network.simulator.journal.counters.received, 0);
  });

  it('finishes what is under way before it closes, and takes nothing after', async () => {
    await using network = await startApnsNetwork();
    using hold = network.simulator.faults.hold();
    const sent = sendOne(network.provider, makeApnsPush());
    await hold.arrived();
    const closed = network.provider[Symbol.asyncDispose]();
    hold.release();
    assert.equal((await sent).kind, 'accepted');
    await closed;
    assert.deepEqual(await sendOne(network.provider, makeApnsPush()), { kind: 'not_started' });
  });
});

/** What every sentinel of the simulator comes to, so that none goes untested. */
const SENTINEL_OUTCOMES: Readonly<Record<string, readonly [kind: string, code: string | null]>> = {
  '00000000': ['token_mismatch', 'BadDeviceToken'],
  dead0400: ['token_mismatch', 'BadDeviceToken'],
  dead0401: ['token_mismatch', 'DeviceTokenNotForTopic'],
  dead0410: ['token_dead', 'Unregistered'],
  dead0411: ['token_dead', 'ExpiredToken'],
  '01d00410': ['token_dead', 'Unregistered'],
  feed0429: ['throttled', 'TooManyRequests'],
  feed1429: ['throttled', 'TooManyProviderTokenUpdates'],
  feed0403: ['auth', 'InvalidProviderToken'],
  feed0500: ['transient', 'InternalServerError'],
  feed0503: ['transient', 'ServiceUnavailable'],
  feed1503: ['transient', 'ServiceUnavailable'],
  // It may have been taken: the next attempt, which is the ledger's, goes over another connection.
  feed2503: ['transient', 'Shutdown'],
  fade0001: ['unknown', 'TIMEOUT'],
  fade0015: ['unknown', 'TIMEOUT'],
  fade0000: ['unknown', 'TIMEOUT'],
  c105ed00: ['unknown', 'NETWORK_AFTER_SEND'],
  accede00: ['unknown', 'NETWORK_AFTER_SEND'],
  accede03: ['transient', 'ServiceUnavailable'],
  beef0007: ['accepted', null],
  beef0000: ['accepted', null],
};

describe('a sentinel token of the APNs simulator', () => {
  it('is known to this test, each of them', () => {
    const prefixes = APNS_SENTINELS.map(({ prefix }) => prefix).toSorted();
    assert.deepEqual(prefixes, Object.keys(SENTINEL_OUTCOMES).toSorted());
  });

  for (const [prefix, [kind, code]] of Object.entries(SENTINEL_OUTCOMES)) {
    it(`${prefix} comes to ${kind} ${code ?? ''}`, async () => {
      await using network = await startApnsNetwork({ answerTimeoutMs: 300 });
      const outcome = await sendOne(network.provider, apnsPushTo(tokenWith(prefix)));
      assert.equal(outcome.kind, kind);
      assert.equal('code' in outcome ? outcome.code : null, code);
    });
  }
});
