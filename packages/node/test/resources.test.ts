import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { assertAnswered } from '../../../test/answered.ts';
import { apnsToken, type Device } from '../../../test/device.ts';
import { startNetwork, type Network } from '../../../test/network.ts';
import { createHoming, type Homing, type UserExport } from '../src/index.ts';

let network: Network;
let homing: Homing;
before(async () => {
  network = await startNetwork();
  homing = createHoming({ baseUrl: `${network.url}/`, secretKey: network.app.secretKey });
});
after(() => network[Symbol.asyncDispose]());

const content = { title: 'Your order has shipped' };

async function signedIn(userId: string): Promise<Device> {
  const device = network.device();
  assertAnswered(await device.register(apnsToken(), userId), 201);
  return device;
}

async function collect<T>(values: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

test('a notification is sent, followed to its deliveries, and explained', async () => {
  const phone = await signedIn('sara');
  const dryRun = await homing.notifications.validate({ audience: { users: ['sara'] }, content });
  assert.equal(dryRun.valid, true);

  const { id } = await homing.notifications.send({ audience: { users: ['sara'] }, content });
  await network.drain();

  const { status, counts } = await homing.notifications.get(id);
  assert.deepEqual([status, counts.accepted], ['finished', 1]);
  const [delivery, ...others] = await collect(homing.notifications.deliveries(id));
  assert.deepEqual(others, []);
  assert.deepEqual(
    [delivery?.installation_id, delivery?.user_id, delivery?.state],
    [phone.id, 'sara', 'accepted'],
  );
  const explained = await homing.notifications.explain(id, 'sara');
  assert.equal(explained.installations[0]?.installation_id, phone.id);
});

test('a notification is paused, goes on, and is cancelled', async () => {
  await signedIn('anna');
  const { id } = await homing.notifications.send({ audience: { everyone: true }, content });
  const paused = await homing.notifications.pause(id);
  const resumed = await homing.notifications.resume(id);
  const { cancelled } = await homing.notifications.cancel(id);
  // A worker may have been done with it at any of these moments.
  assert.deepEqual([paused.id, resumed.id], [id, id]);
  assert.equal((await homing.notifications.cancel(id)).cancelled, false);
  const { status } = await homing.notifications.get(id);
  assert.equal(status, cancelled ? 'cancelled' : 'finished');
});

test('a stream of any number of deliveries is read line by line, and may be left', async () => {
  const phones = await Promise.all(Array.from({ length: 12 }, () => signedIn('crowd')));
  const { id } = await homing.notifications.send({ audience: { users: ['crowd'] }, content });
  await network.drain();
  const lines = await collect(homing.notifications.deliveries(id));
  assert.deepEqual(
    lines.map((line) => line.installation_id).toSorted(),
    phones.map((phone) => phone.id).toSorted(),
  );
  for await (const line of homing.notifications.deliveries(id)) {
    assert.equal(line.user_id, 'crowd');
    break;
  }
});

test('a list is walked through whatever its pages are', async () => {
  const phones = await Promise.all(Array.from({ length: 7 }, () => signedIn('many')));
  const expected = phones.map(({ id }) => id).toSorted();
  for (const pageSize of [1, 3, 7, 100]) {
    const found = await collect(homing.installations.list({ user_id: 'many', pageSize }));
    assert.deepEqual(found.map(({ id }) => id).toSorted(), expected);
  }
  assert.deepEqual(await collect(homing.installations.list({ user_id: 'nobody' })), []);
  await assert.rejects(collect(homing.installations.list({ status: 'nonsense' })), {
    code: 'validation_failed',
  });
});

test('a back end writes an installation, its topics, preferences and tokens', async () => {
  const { installations } = homing;
  const id = randomUUID();
  const made = await installations.put(id, { token: apnsToken(), user: { id: 'ben' } });
  assert.deepEqual([made.applied.user, made.installation.user?.id], [true, 'ben']);

  assert.equal((await installations.subscribe(id, 'a.b', { scope: 'device' })).applied, true);
  assert.equal((await installations.setPreferences(id, { mode: 'off' })).preferences.mode, 'off');
  assert.equal((await installations.setPurposeToken(id, 'voip', apnsTokenOf())).applied, true);
  assert.equal((await installations.removePurposeToken(id, 'voip')).applied, true);
  const held = await installations.get(id);
  assert.deepEqual([held.topics.map(({ topic }) => topic), held.status], [['a.b'], 'muted']);
  assert.equal((await installations.unsubscribe(id, 'a.b')).applied, true);

  await installations.signOutUser(id, 'ben');
  await installations.signOut(id);
  assert.equal((await installations.get(id)).user, null);
  assert.ok((await installations.timeline(id)).length >= 3);
  await installations.remove(id);
  assert.equal((await installations.get(id)).status, 'removed');
});

function apnsTokenOf() {
  const { value, environment } = apnsToken();
  return { value, environment };
}

test('a user is described, subscribed, exported, signed out everywhere, and erased', async () => {
  const { users } = homing;
  const id = 'sara/../&?#%2F é';
  const phone = await signedIn(id);
  assert.equal((await users.put(id, { locale: 'de-CH' })).locale, 'de-CH');
  assert.deepEqual(await users.subscribe(id, 'news'), { installations: 1, changed: 1 });
  assert.deepEqual(await users.unsubscribe(id, 'news'), { installations: 1, changed: 1 });
  assert.equal((await users.get(id)).installations[0]?.id, phone.id);
  assert.ok((await users.timeline(id)).length > 0);

  const exported = JSON.parse(await text(await users.export(id))) as UserExport;
  assert.deepEqual([exported.user.id, exported.links.length], [id, 1]);

  assert.deepEqual(await users.revoke(id, { installations: [phone.id] }), { signed_out: 1 });
  assert.deepEqual(await users.revoke(id), { signed_out: 0 });
  await users.erase(id);
  await assert.rejects(users.get(id), { code: 'not_found', status: 404 });
});

test('what would leave its place in the path is not sent', async () => {
  await signedIn('kept');
  for (const topic of ['', '.', '..']) {
    await assert.rejects(homing.users.unsubscribe('kept', topic), TypeError);
    await assert.rejects(homing.users.erase(topic), TypeError);
  }
  assert.equal((await homing.users.get('kept')).id, 'kept');
});

test('an app, its credentials and its keys are managed', async () => {
  const { app, credentials, identityKeys } = homing;
  const { name } = await app.get();
  await app.update({ name: 'Other' }, { dryRun: true });
  assert.equal((await app.get()).name, name);
  assert.equal((await app.update({ name: 'Other' })).name, 'Other');
  await assert.rejects(app.vapidKey(), { code: 'not_found' });

  const settings = { project: '@acme/other' };
  const draft = { provider: 'expo', settings } as const;
  assert.ok('verified' in (await credentials.verifyDraft(draft)));
  const added = await credentials.add(draft);
  assert.equal((await credentials.update(added.id, { name: 'Second' })).name, 'Second');
  assert.equal((await credentials.get(added.id)).status, 'active');
  assert.ok('verified' in (await credentials.verify(added.id)));
  await credentials.retire(added.id);
  const listed = await collect(credentials.list({ pageSize: 1 }));
  assert.deepEqual(
    listed.filter(({ id }) => id === added.id).map(({ status }) => status),
    ['retired'],
  );

  assert.equal((await identityKeys.list()).length, 2);
  const secret = Buffer.alloc(32, 1).toString('base64');
  await assert.rejects(identityKeys.add({ kid: 'third', secret }), { code: 'too_many_keys' });
});

test('alerts, reviews and reasons are looked at', async () => {
  assert.deepEqual(await collect(homing.alerts.list({ open: true })), []);
  await assert.rejects(homing.alerts.close('alr_none'), { code: 'not_found' });

  const made = await homing.reviews.create();
  assert.equal((await homing.reviews.get(made.id)).id, made.id);
  assert.ok((await homing.reviews.list()).some(({ id }) => id === made.id));
  await assert.rejects(homing.reviews.apply(made.id, { purge: 12_345 }), {
    code: 'review_changed',
  });

  const reasons = await homing.reasons.list({ provider: 'apns' });
  assert.ok(reasons.some(({ code }) => code === 'Unregistered'));
});

test('a device that told its back end has its receipts reported by it', async () => {
  const phone = await signedIn('reader');
  const { id } = await homing.notifications.send({ audience: { users: ['reader'] }, content });
  await network.drain();
  const receipt = { notification_id: id, kind: 'opened', at: new Date().toISOString() } as const;
  const answer = await homing.installations.reportReceipts(phone.id, { receipts: [receipt] });
  assert.deepEqual(answer, { stored: 1, ignored: 0 });
});
