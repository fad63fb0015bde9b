import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { createFrozenClock } from '../clock.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, fcmToken } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';

const DEADLINE_MS = 20_000;
const RETRY_AFTER_SECONDS = 40;
const TOO_MUCH = {
  kind: 'answer',
  status: 429,
  reason: 'QUOTA_EXCEEDED',
  retryAfterSeconds: RETRY_AFTER_SECONDS,
} as const;
const UNAVAILABLE = { kind: 'answer', status: 503, reason: 'ServiceUnavailable' } as const;

test('a storm of 429 with Retry-After ends with everything sent and no attempt spent', async () => {
  await using network = await startNetwork();
  const phones = 60;
  await registerAll(network, phones, fcmToken);
  network.fcm.faults.schedule({ times: Infinity, fault: TOO_MUCH });
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  const waiting = await network.backEnd.report(id);
  assertConserved(waiting);
  assert.equal(waiting['counts']?.['pending'], phones, 'what was refused waits in its chunk');

  // As long as it was told to stay away, it stays away, with what comes later as well.
  const { received } = network.journal.counters;
  await network.clock.advance((RETRY_AFTER_SECONDS - 5) * 1_000);
  const later = await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  assert.equal(network.journal.counters.received, received);

  // When it asks again, it asks with one push.
  await network.clock.advance(60_000);
  await network.drain();
  assert.equal(pushesSince(network, received), 1);
  network.fcm.faults.clear();
  await passTime(network, 5);
  for (const one of [id, later]) {
    const report = await network.backEnd.report(one);
    assertConserved(report);
    assert.deepEqual([report['status'], report['counts']?.['accepted']], ['finished', phones]);
    const attempts = (await network.backEnd.deliveries(one)).map((row) => Number(row['attempts']));
    const spent = attempts.reduce((sum, count) => sum + count, 0) - phones;
    assert.ok(spent <= 1, `${spent} attempts beside the ones that succeeded`);
  }
});

test('a push that alone is refused with 429 again and again holds nobody else up', async () => {
  await using network = await startNetwork();
  const unlucky = fcmToken();
  assertAnswered(await network.device().register(unlucky, 'sara'), 201);
  await registerAll(network, 20, fcmToken);
  const match = { token: unlucky.value };
  network.fcm.faults.schedule({ times: Infinity, match, fault: TOO_MUCH });
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  await passTime(network, 10);
  const report = await network.backEnd.report(id);
  assertConserved(report);
  assert.equal(report['counts']?.['accepted'], 20);
});

test('a provider that is down keeps its own work waiting, and no other provider’s', async () => {
  await using network = await startNetwork();
  const users = Array.from({ length: 60 }, (_, index) => `user ${index}`);
  for (const user of users) {
    assertAnswered(await network.device().register(apnsToken(), user), 201);
  }
  assertAnswered(await network.device().register(fcmToken(), 'sara'), 201);
  await network.apns[Symbol.asyncDispose]();
  // More notifications, each with a chunk of its own, than a worker works on at once.
  const stuck = await Promise.all(users.map((user) => network.backEnd.sendToUsers([user])));
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.journal.waitFor((entry) => entry.provider === 'fcm' && entry.token !== null, {
    timeoutMs: DEADLINE_MS,
  });
  await network.drain();
  assert.equal((await network.backEnd.report(id))['counts']?.['accepted'], 1);
  for (const one of stuck) {
    const report = await network.backEnd.report(one);
    assertConserved(report);
    assert.equal(report['counts']?.['pending'], 1, 'no attempt is burnt');
  }
});

test('a host that fails leaves the other host of its credential alone', async () => {
  // The pause of a breaker is over within a second: it is not to pass while phones register.
  await using network = await startNetwork({ clock: createFrozenClock() });
  const silent = Array.from({ length: 30 }, apnsToken);
  for (const token of silent) {
    assertAnswered(await network.device().register(token, 'anna'), 201);
  }
  network.apns.faults.schedule({ times: Infinity, fault: UNAVAILABLE });
  const stuck = await network.backEnd.sendToUsers(['anna']);
  await network.drain();
  assert.equal((await network.backEnd.report(stuck))['counts']?.['retrying'], 30);

  // The breaker of production is open: what comes now is not even offered there.
  assertAnswered(await network.device().register(apnsToken(), 'sara'), 201);
  const sandboxed = { ...apnsToken(), environment: 'sandbox' as const };
  assertAnswered(await network.device().register(sandboxed, 'sara'), 201);
  const { received } = network.journal.counters;
  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  const entries = network.journal.entries({ after: received });
  assert.deepEqual(
    entries.map((entry) => entry.environment),
    ['sandbox'],
  );
  const report = await network.backEnd.report(id);
  assert.deepEqual([report['counts']?.['accepted'], report['counts']?.['pending']], [1, 1]);

  network.apns.faults.clear();
  await passTime(network, 10);
  for (const one of [stuck, id]) {
    const ended = await network.backEnd.report(one);
    assertConserved(ended);
    assert.equal(ended['status'], 'finished');
    assert.equal(ended['counts']?.['accepted'], one === id ? 2 : 30);
  }
});

async function registerAll(
  network: Network,
  count: number,
  token: typeof apnsToken | typeof fcmToken,
): Promise<void> {
  const phones = Array.from({ length: count }, () => network.device());
  await Promise.all(
    phones.map(async (phone) => assertAnswered(await phone.register(token(), 'sara'), 201)),
  );
}

function pushesSince(network: Network, sequence: number): number {
  return network.journal.entries({ after: sequence }).filter((entry) => entry.token !== null)
    .length;
}

async function passTime(network: Network, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    await network.clock.advance(60_000);
    await network.drain();
  }
}
