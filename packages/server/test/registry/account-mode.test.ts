import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';

/** What a switch between one user and several costs those who are signed in. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { db } = network.homing;

async function switchTo(mode: 'exclusive' | 'multi'): Promise<void> {
  const answer = await network.backEnd.request('PATCH', '/v1/app', { account_mode: mode });
  assertAnswered(answer, 200);
}

/** The open links of some phones; a version changes with every write of its row. */
async function linksOf(phones: readonly Device[]) {
  return db<{ id: string; version: string; exclusive: boolean }[]>`
    select i.id, l.xmin::text || '/' || l.ctid::text as version, l.exclusive
    from link l join installation i using (installation_ref)
    where l.ended_at is null and i.id = any(${phones.map(({ id }) => id)}::uuid[])
    order by l.link_ref`;
}

async function signIn(phone: Device, ...userIds: readonly string[]): Promise<void> {
  const users = await Promise.all(
    userIds.map(async (id) => ({ id, assertion: await phone.assertion(id) })),
  );
  assertAnswered(await phone.sync({ token: fcmToken(), users }), 201);
}

test('letting more users in writes no link; letting one in writes those that came meanwhile', async () => {
  const [before, alone, crowded] = [network.device(), network.device(), network.device()];
  assertAnswered(await before.register(fcmToken(), 'anna'), 201);
  const links = await linksOf([before]);
  await switchTo('multi');
  assert.deepEqual(await linksOf([before]), links);
  await signIn(alone, 'ben');
  await signIn(crowded, 'cleo', 'dora');
  await switchTo('exclusive');
  const left = await linksOf([before, alone, crowded]);
  assert.deepEqual(left[0], links[0]);
  assert.deepEqual(
    left.map(({ id, exclusive }) => ({ id, exclusive })),
    [before, alone].map(({ id }) => ({ id, exclusive: true })),
  );
});

test('a user who was there before a switch shares the device with those who come after it', async () => {
  const phone = network.device();
  assertAnswered(await phone.register(fcmToken(), 'anna'), 201);
  await switchTo('multi');
  const users = [{ id: 'anna' }, { id: 'ben', assertion: await phone.assertion('ben') }];
  assertAnswered(await phone.sync({ users }), 200);
  await switchTo('exclusive');
  assert.deepEqual([...(await linksOf([phone]))], []);
});
