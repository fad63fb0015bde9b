import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createLogger } from '@homing/server';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, type Device } from '../../../../test/device.ts';
import { untilBlocked } from './until-blocked.ts';
import { DAY_MS, idOf, openShop, type Shop } from './silent-shop.ts';

const YEAR = 365;

async function exists(shop: Shop, device: Device): Promise<boolean> {
  const { status } = await shop.network.backEnd.get(`/v1/installations/${device.id}`);
  return status === 200;
}

/** Counts, checks what would be purged, and purges it. */
async function purge(shop: Shop, expected: Readonly<Record<string, number>>): Promise<void> {
  const review = await shop.review();
  const none = { retired: 0, anonymous: 0, removed: 0 };
  assert.deepEqual(review['platforms']?.['ios']?.['purge'], { ...none, ...expected });
  const count = Object.values(expected).reduce((sum, one) => sum + one, 0);
  const applied = await shop.apply(idOf(review), { purge: count });
  assert.equal(applied['purged'], count);
  assert.equal(applied['made_dormant'], 0);
}

describe('after a year', () => {
  test('who is anonymous and silent is purged, who has a user or was heard of is not', async () => {
    await using shop = await openShop();
    const [anonymous, linked, recent] = await shop.silence([
      { platform: 'ios', days: YEAR + 1 },
      { platform: 'ios', days: YEAR + 1, user: 'anna' },
      { platform: 'ios', days: YEAR - 1 },
    ]);
    assert.ok(anonymous && linked && recent);
    await purge(shop, { anonymous: 1 });
    assert.deepEqual(
      await Promise.all([anonymous, linked, recent].map((device) => exists(shop, device))),
      [false, true, true],
    );
  });

  test('who has had no usable token is purged, whoever is signed in there', async () => {
    await using shop = await openShop({ role: 'all' });
    const { network } = shop;
    const [dead, token] = [network.device(), apnsToken()];
    const facts = { platform: 'ios' };
    const user = { id: 'anna', assertion: await dead.assertion('anna') };
    assertAnswered(await dead.sync({ token, user, device: facts }), 201);
    const cleared = await shop.enrol('ios', 'ben');
    assertAnswered(await cleared.sync({ token: null }), 200);
    await network.clock.advance(YEAR * DAY_MS);
    network.apns.devices.set(token.value, {
      kind: 'unregistered',
      atMs: network.clock.now().getTime(),
    });
    await network.backEnd.sendToUsers(['anna']);
    const content = { title: 'We are closed today' };
    const audience = { installations: [cleared.id] };
    const general = await network.backEnd.send({ audience, content });
    await network.drain();
    assert.equal((await network.backEnd.installation(dead.id))['status'], 'retired');
    await network.clock.advance(DAY_MS);
    // The provider said so only yesterday: the year of this one begins then.
    await purge(shop, { retired: 1 });
    assert.deepEqual([await exists(shop, dead), await exists(shop, cleared)], [true, false]);
    // What became of its notifications stays on record.
    assert.equal((await network.backEnd.report(general))['counts']?.['skipped'], 1);
    assert.equal((await network.homing.db`select 1 from delivery`).length, 2);
    await network.clock.advance(YEAR * DAY_MS);
    await purge(shop, { retired: 1 });
    assert.equal(await exists(shop, dead), false);
    assertAnswered(await network.backEnd.get('/v1/users/anna/timeline'), 200);
  });

  test('who logs out is not purged, so that a login from before finds the logout', async () => {
    await using shop = await openShop();
    const { backEnd, clock } = shop.network;
    const [device] = await shop.silence([{ platform: 'ios', days: YEAR + 1 }]);
    assert.ok(device);
    const late = {
      seq: device.nextSeq(),
      user: { id: 'anna', assertion: await device.assertion('anna') },
    };
    assertAnswered(await device.signOut(), 204);
    await purge(shop, {});
    assertAnswered(await device.sync(late), 200);
    assert.equal((await backEnd.installation(device.id))['user'], null);
    // The year begins with the logout.
    await clock.advance((YEAR + 1) * DAY_MS);
    await purge(shop, { anonymous: 1 });
  });

  test('who was signed out, or lost its token, has a year from then on', async () => {
    await using shop = await openShop();
    const { backEnd, clock } = shop.network;
    const [revoked, displaced] = [await shop.enrol('ios', 'anna'), shop.network.device()];
    const [token, facts] = [apnsToken(), { platform: 'ios' }];
    const user = { id: 'ben', assertion: await displaced.assertion('ben') };
    assertAnswered(await displaced.sync({ token, user, device: facts }), 201);
    await clock.advance((YEAR + 1) * DAY_MS);
    const review = idOf(await shop.review());
    assertAnswered(await backEnd.request('POST', '/v1/users/anna/revoke', {}), 200);
    assertAnswered(await shop.network.device().register(token, 'sara'), 201);
    assert.equal((await shop.apply(review, { purge: 0 }))['purged'], 0);
    await purge(shop, {});
    await clock.advance((YEAR + 1) * DAY_MS);
    await purge(shop, { anonymous: 1, retired: 1 });
    const both = await Promise.all([revoked, displaced].map((device) => exists(shop, device)));
    assert.deepEqual(both, [false, false]);
  });

  test('what is left of a removed installation goes as well', async () => {
    await using shop = await openShop();
    const device = await shop.enrol('ios', 'anna');
    assertAnswered(await device.request('DELETE', ''), 204);
    await shop.network.clock.advance(31 * DAY_MS);
    await shop.network.homing.maintenance.run();
    await shop.network.clock.advance(YEAR * DAY_MS);
    await purge(shop, { removed: 1 });
    const [left] = await shop.network.homing.db`select 1 from installation`;
    assert.equal(left, undefined);
  });
});

test('whoever was purged comes back as if for the first time, with nothing left from before', async () => {
  await using shop = await openShop();
  const { network } = shop;
  const device = network.device();
  const before = { platform: 'ios', label: 'Old phone' };
  const token = apnsToken();
  assertAnswered(await device.sync({ token, device: before, device_tags: { beta: 'yes' } }), 201);
  const subscribe = `/topics/news?seq=${device.nextSeq()}`;
  assertAnswered(await device.request('PUT', subscribe, { scope: 'device' }), 200);
  const voip = `/purpose-tokens/voip?seq=${device.nextSeq()}`;
  assertAnswered(await device.request('PUT', voip, { value: '0b'.repeat(32) }), 200);
  const prefer = `/preferences?seq=${device.nextSeq()}`;
  assertAnswered(await device.request('PUT', prefer, { mode: 'off' }), 200);
  assertAnswered(await device.signIn('anna'), 200);
  assertAnswered(await device.signOut(), 204);
  await network.clock.advance((YEAR + 1) * DAY_MS);
  await purge(shop, { anonymous: 1 });

  assertAnswered(await device.sync({ seq: 1, token }), 201);
  const { user, topics, preferences, seq, ...installation } = await network.backEnd.installation(
    device.id,
  );
  assert.equal(user, null);
  assert.deepEqual(topics, []);
  assert.equal(preferences?.['mode'], 'on');
  assert.deepEqual(installation['device_tags'], {});
  assert.equal(installation['last_user'], null);
  assert.deepEqual(seq, { token: 1, user: null, device: null, preferences: null, topics: null });
  assert.deepEqual((await network.backEnd.timeline(device.id)).slice(0, 1), [
    'The installation was seen for the first time.',
  ]);
});

test('who comes back at the very moment of the purge enrols anew', async () => {
  await using shop = await openShop();
  const { homing, clock, backEnd } = shop.network;
  const device = shop.network.device();
  const token = apnsToken();
  assertAnswered(await device.sync({ token, device: { platform: 'ios' } }), 201);
  await clock.advance((YEAR + 1) * DAY_MS);
  const id = idOf(await shop.review());
  const returning = await homing.db.begin(async (tx) => {
    // Holds the purge up when it has the row and has not deleted it yet.
    await tx`lock table purpose_token in share row exclusive mode`;
    assertAnswered(await shop.agree(id, { purge: 1 }), 202);
    await untilBlocked(homing.db, 1);
    const sync = device.sync({ token });
    await untilBlocked(homing.db, 2);
    return { sync };
  });
  assertAnswered(await returning.sync, 201);
  await homing.maintenance.run();
  assertAnswered(await device.sync({ token }), 200);
  assert.equal((await shop.read(id))['purged'], 1);
  assert.equal(
    (await backEnd.timeline(device.id))[0],
    'The installation was seen for the first time.',
  );
});

/** Sends to an anonymous phone that is purged after the first attempt; returns what was sent. */
async function sendToLostPhone(shop: Shop): Promise<string> {
  const { backEnd } = shop.network;
  const [phone] = await shop.silence([{ platform: 'ios', days: YEAR + 1 }]);
  assert.ok(phone);
  const audience = { installations: [phone.id] };
  const id = await backEnd.send({ audience, content: { title: 'We are closed today' } });
  await shop.network.drain();
  await purge(shop, { anonymous: 1 });
  return id;
}

describe('a notification to an installation that is purged meanwhile', () => {
  const AGAIN_MS = 600_000;

  test('ends while it waits for a second attempt', async () => {
    await using shop = await openShop({ role: 'all' });
    const { network } = shop;
    network.apns.faults.schedule({
      times: Infinity,
      fault: { kind: 'answer', status: 503, reason: 'ServiceUnavailable' },
    });
    const id = await sendToLostPhone(shop);
    assert.equal((await network.backEnd.report(id))['counts']?.['retrying'], 1);
    await network.clock.advance(AGAIN_MS);
    await network.drain();
    const report = await network.backEnd.report(id);
    assert.equal(report['status'], 'finished');
    assert.deepEqual(report['reasons'], { skipped: { no_token: 1 } });
  });

  test('ends while its lane is stopped', async () => {
    await using shop = await openShop({ role: 'all', logger: createLogger('silent') });
    const { network } = shop;
    network.apns.faults.schedule({
      times: Infinity,
      fault: { kind: 'answer', status: 403, reason: 'InvalidProviderToken' },
    });
    const id = await sendToLostPhone(shop);
    await network.clock.advance(AGAIN_MS);
    await network.drain();
    const report = await network.backEnd.report(id);
    assert.equal(report['status'], 'finished');
    assert.deepEqual(report['reasons'], { skipped: { no_token: 1 } });
  });
});

test('a policy purges only where it was told to, together with what it makes dormant', async () => {
  await using shop = await openShop();
  const [anonymous] = await shop.silence([{ platform: 'ios', days: YEAR + 1 }]);
  assert.ok(anonymous);
  const { clock, homing } = shop.network;
  await shop.configure({ apply: 'automatic', apply_after_days: 1 });
  const first = idOf(await shop.review());
  await clock.advance(DAY_MS);
  await homing.maintenance.run();
  assert.equal((await shop.read(first))['purged'], 0);
  assert.equal(await shop.status(anonymous), 'dormant');
  await shop.configure({ apply: 'automatic', apply_after_days: 1, purge: 'automatic' });
  const second = idOf(await shop.review());
  await clock.advance(DAY_MS);
  await homing.maintenance.run();
  assert.equal((await shop.read(second))['purged'], 1);
  assert.equal(await exists(shop, anonymous), false);
});
