import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createServiceAccount } from '@homing/simulators';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { assertConserved } from '../conservation.ts';
import { enrolCrowd } from '../crowd.ts';
import { apnsToken, Device, fcmToken } from '../device.ts';
import { PROJECT, startNetwork, TOPIC } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { someAtOnce } from '../some-at-once.ts';

const OTHER_PROJECT = 'acme-wholesale';
/** Below the time after which a provider that does not answer is given up. */
const PROMPT_MS = 12_000;
/** More chunks than a worker has under way at once. */
const BACKLOG = 40;
const MINUTES = 3;

test('T16: a backlog refuses nothing that it takes, and takes nothing that it refuses', async () => {
  await using network = await startNetwork();
  const people = await enrolCrowd(network, 300, { provider: 'fcm' });
  using hold = network.fcm.faults.hold();
  const ids = await someAtOnce(people.length, 16, (index) =>
    network.backEnd.sendToUsers([people[index]?.user ?? '']),
  );
  await hold.arrived();
  const tooMany = Array.from({ length: 1_001 }, (_, index) => `user-${index}`);
  const refused = await network.backEnd.request('POST', '/v1/notifications', {
    audience: { users: tooMany },
    content: { title: 'Hello' },
  });
  assertAnswered(refused, 422);
  hold.release();
  await network.drain();

  assert.equal(acceptedPushes(network.journal).length, people.length);
  const [row] = await network.homing.db`select count(*)::int as count from notification`;
  assert.equal(row?.['count'], ids.length, 'nothing is left of what was refused');
  for (const id of ids) assert.equal((await network.backEnd.report(id))['status'], 'finished');
});

test('T17: a provider that nobody knows, or that is not set up, is named', async () => {
  await using network = await startNetwork();
  const { apns: _, ...credentials } = network.credentials;
  const app = await network.provision({ credentials });
  const backEnd = new BackEnd(network.url, app.secretKey);
  const [pixel, iphone] = [0, 1].map(() => new Device(network.url, app, network.issuer));
  assert(pixel !== undefined && iphone !== undefined);
  const unknown = await pixel.register({ provider: 'pigeon', value: 'x' }, 'anna');
  assertAnswered(unknown, 422);
  assert.match(JSON.stringify(unknown.body['errors']), /token\/provider/);

  assertAnswered(await pixel.register(fcmToken(), 'anna'), 201);
  const token = { ...apnsToken(), topic: TOPIC };
  assertAnswered(await iphone.register(token, 'anna'), 201);
  const id = await backEnd.sendToUsers(['anna']);
  await network.drain();
  const report = await backEnd.report(id);
  assertConserved(report);
  assert.equal(report['counts']?.['accepted'], 1);
  assert.deepEqual(report['reasons'], { skipped: { no_credential: 1 } });
});

test('T18: two Firebase projects in one process each get their own, with their own key', async () => {
  await using network = await startNetwork();
  const { fcm, url, issuer } = network;
  const account = await createServiceAccount(OTHER_PROJECT, fcm.tokenUrl);
  fcm.addProject({ projectId: OTHER_PROJECT, serviceAccounts: [account] });
  const { token_uri: _, ...serviceAccount } = account.json;
  const apps = [network.app, await network.provision({ credentials: { fcm: { serviceAccount } } })];
  const tokens = [fcmToken(), fcmToken()];
  for (const [index, app] of apps.entries()) {
    assertAnswered(await new Device(url, app, issuer).register(tokens[index], 'anna'), 201);
  }
  await someAtOnce(20, 4, (index) =>
    new BackEnd(url, apps[index % 2]?.secretKey ?? '').sendToUsers(['anna']),
  );
  await network.drain();

  const seen = [PROJECT, OTHER_PROJECT].map((project, index) => {
    const own = acceptedPushes(network.journal).filter(({ path }) => path.includes(`/${project}/`));
    assert(own.every(({ token }) => token === tokens[index]?.value));
    assert.equal(own.length, 10);
    return own[0]?.credential;
  });
  assert.notEqual(seen[0], seen[1]);
});

test('T19: while APNs answers nothing at all, FCM is sent to as ever', () =>
  assertApart('apns', 'fcm'));

test('while FCM takes everything and answers nothing, APNs is sent to as ever', () =>
  assertApart('fcm', 'apns'));

test('T20: what is transactional overtakes what waits in bulk', async () => {
  await using network = await startNetwork();
  const { backEnd, journal } = network;
  const people = await enrolCrowd(network, 100, { provider: 'fcm' });
  const [anna] = await enrolCrowd(network, 1, { provider: 'fcm', name: 'anna' });
  assert(anna !== undefined);
  const users = people.map(({ user }) => user);
  using hold = network.fcm.faults.hold();
  for (let count = 0; count < BACKLOG; count += 1) {
    await backEnd.sendToUsers(users, undefined, { options: { lane: 'bulk' } });
  }
  await hold.arrived();
  await backEnd.sendToUsers([anna.user], undefined, { options: { lane: 'transactional' } });
  hold.release();
  await network.drain();

  const tokens = acceptedPushes(journal).map(({ token }) => token);
  assert.equal(tokens.length, BACKLOG * people.length + 1);
  assert(tokens.indexOf(anna.token) < tokens.length / 2, 'before most of the backlog');
});

/** While one provider answers nothing at all, the other one is sent to. */
async function assertApart(silent: 'apns' | 'fcm', other: 'apns' | 'fcm'): Promise<void> {
  await using network = await startNetwork();
  const { backEnd, journal } = network;
  const held = await enrolCrowd(network, BACKLOG, { provider: silent, name: 'held' });
  const free = await enrolCrowd(network, 10, { provider: other, name: 'free' });
  using hold = network[silent].faults.hold();
  for (const { user } of held) await backEnd.sendToUsers([user]);
  await hold.arrived();

  for (const { user } of free) await backEnd.sendToUsers([user]);
  for (const { token } of free) {
    await journal.waitFor((entry) => entry.token === token, { timeoutMs: PROMPT_MS });
  }
  assert.equal(acceptedPushes(journal).length, free.length, 'the other still holds everything');
  hold.release();
  // The lane may have learned to wait; it does not wait for long.
  for (let minute = 0; minute < MINUTES; minute += 1) {
    await network.drain();
    await network.clock.advance(60_000);
  }
  assert.equal(acceptedPushes(journal).length, held.length + free.length);
}
