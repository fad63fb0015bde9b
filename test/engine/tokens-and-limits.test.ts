import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFrozenClock } from '../clock.ts';
import { assertConserved } from '../conservation.ts';
import { enrolCrowd, type Person } from '../crowd.ts';
import { startNetwork, type Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';

const SECOND_MS = 1_000;
/** Only bounds a failure. */
const MINUTES = 60;

test('T11: when tokens die during a campaign, nobody else is skipped', async () => {
  await using network = await startNetwork();
  const people = await enrolCrowd(network, 600, { provider: 'apns' });
  const dead = people.filter((_, index) => index % 3 === 0);
  const living = people.filter((_, index) => index % 3 !== 0);

  using hold = network.apns.faults.hold();
  const id = await network.backEnd.sendToUsers(users(people));
  await hold.arrived();
  const atMs = network.clock.now().getTime();
  for (const { token } of dead) network.apns.devices.set(token, { kind: 'unregistered', atMs });
  hold.release();
  await network.drain();

  const report = await finishedReport(network, id);
  assert.equal(report['counts']?.['accepted'], living.length);
  assert.deepEqual(report['reasons'], { failed: { token_dead: dead.length } });
  assertReachedOnce(network, living);
});

test('T12: a GOAWAY while pushes are under way loses none and repeats none', async () => {
  await using network = await startNetwork();
  const people = await enrolCrowd(network, 600);
  for (const { faults } of [network.apns, network.fcm]) {
    for (const lastStream of ['this', 'before_this'] as const) {
      faults.schedule({ times: 2, every: 50, fault: { kind: 'goaway', reason: '', lastStream } });
    }
  }
  const id = await network.backEnd.sendToUsers(users(people));
  await network.drain();

  const report = await finishedReport(network, id);
  assert.equal(report['counts']?.['accepted'], people.length);
  assert.equal(report['possible_duplicates'], 0, 'the provider vouches for what it left out');
  assertReachedOnce(network, people);
});

test('T14: a storm of 429 with Retry-After is waited for, and fails nothing', async () => {
  await using network = await startNetwork({ clock: createFrozenClock() });
  const people = await enrolCrowd(network, 200, { provider: 'fcm' });
  const fault = { kind: 'answer', status: 429, reason: 'QUOTA_EXCEEDED' } as const;
  network.fcm.faults.schedule({ times: 100, fault: { ...fault, retryAfterSeconds: 60 } });

  const id = await network.backEnd.sendToUsers(users(people));
  await network.drain();
  const refused = network.journal.entries().filter(({ answer }) => answer?.status === 429).length;
  assert(refused > 0);
  await network.clock.advance(59 * SECOND_MS);
  await network.drain();
  assert.equal(mostAttempts(network, people), 1, 'nobody is asked again within the minute');

  const report = await finishedReport(network, id);
  assert.equal(report['counts']?.['accepted'], people.length);
  assert.deepEqual(report['reasons'], {});
  assertReachedOnce(network, people);
});

test('T15: beyond the streams of one connection, a Firebase project gets a second one', async () => {
  await using network = await startNetwork();
  const people = await enrolCrowd(network, 250, { provider: 'fcm' });
  using hold = network.fcm.faults.hold();
  const first = await network.backEnd.sendToUsers(users(people));
  await hold.arrived(150);
  const connections = http2Connections(network);
  assert(connections.length > 1);
  for (const { openStreams } of connections) assert(openStreams <= 100, 'what FCM announces');
  hold.release();
  await network.drain();

  const second = await network.backEnd.sendToUsers(users(people));
  await network.drain();
  for (const id of [first, second]) {
    assert.equal((await finishedReport(network, id))['counts']?.['accepted'], people.length);
  }
  // One more may have been opened meanwhile, where a window of the first ones was used up.
  const later = new Set(http2Connections(network).map(({ id }) => id));
  for (const { id } of connections) assert(later.has(id), 'used again');
});

function users(people: readonly Person[]): readonly string[] {
  return people.map(({ user }) => user);
}

/** Lets time pass until a notification is done. */
async function finishedReport(network: Network, id: string) {
  for (let minute = 0; minute < MINUTES; minute += 1) {
    const report = await network.backEnd.report(id);
    assertConserved(report);
    if ((report['status'] as unknown as string) === 'finished') return report;
    await network.clock.advance(60 * SECOND_MS);
    await network.drain();
  }
  return assert.fail('not finished within the hour');
}

function assertReachedOnce({ journal }: Network, people: readonly Person[]): void {
  const pushes = acceptedPushes(journal);
  const reached = new Set(pushes.map(({ token }) => token));
  assert.equal(pushes.length, people.length);
  for (const { token, user } of people) assert(reached.has(token), user);
}

function mostAttempts({ journal }: Network, people: readonly Person[]): number {
  return Math.max(...people.map(({ token }) => journal.entries({ token }).length));
}

/** Those that carry pushes; access tokens are fetched over HTTP/1.1. */
function http2Connections({ fcm }: Network) {
  return fcm.connections.filter(({ protocol }) => protocol === 'h2');
}
