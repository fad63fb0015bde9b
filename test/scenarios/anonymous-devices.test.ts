import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { apnsToken, type Device } from '../device.ts';
import { startNetwork } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

/** A device on which nobody is signed in: reached by what is for everybody, and by that alone. */
const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());
const { backEnd } = network;
const UNAVAILABLE = { kind: 'answer', status: 503, reason: 'ServiceUnavailable' } as const;

async function phoneOf(user?: string) {
  const [device, token] = [network.device(), apnsToken()];
  assertAnswered(await device.register(token, user), 201);
  return { device, token };
}

function sendTo(...devices: readonly Device[]): Promise<string> {
  const audience = { installations: devices.map(({ id }) => id) };
  return backEnd.send({ audience, content: { title: 'We are closed today' } });
}

function offer(user: string): () => Promise<string> {
  return () => backEnd.sendToUsers([user], undefined, { category: 'offers' });
}

async function topic(device: Device, name: string, scope: object): Promise<void> {
  const path = `/topics/${name}?seq=${device.nextSeq()}`;
  assertAnswered(await device.request('PUT', path, scope), 200);
}

async function topicsOf(device: Device): Promise<unknown> {
  return (await backEnd.installation(device.id))['topics'];
}

test('what is for everybody reaches a device on which nobody ever signed in, or no longer', async () => {
  const [never, before] = [await phoneOf(), await phoneOf('anna')];
  assertAnswered(await before.device.signOut(), 204);
  const general = () => sendTo(never.device, before.device);
  assert.deepEqual(await tokensReached(network, general), tokens(never.token, before.token));
  for (const { device } of [never, before]) {
    assert.equal((await backEnd.installation(device.id))['status'], 'signed_out');
  }
});

test('what is for a user never reaches a device that the user left, however it came to wait', async () => {
  const { device, token } = await phoneOf('ben');
  const match = { token: token.value };
  network.apns.faults.schedule({ times: Infinity, match, fault: UNAVAILABLE });
  const personal = await backEnd.sendToUsers(['ben']);
  const general = await sendTo(device);
  await network.drain();
  assertAnswered(await device.signOut(), 204);
  network.apns.faults.clear();
  const reached = await tokensReached(network, () => network.clock.advance(60 * 60 * 1_000));
  assert.deepEqual(reached, tokens(token));
  assert.equal((await backEnd.report(general))['counts']?.['accepted'], 1);
  assert.deepEqual(
    (await backEnd.deliveries(personal)).map((one) => [one['state'], one['reason']]),
    [['skipped', 'owner_changed']],
  );
});

test('topics of the device survive a logout; those of the user end, and do not come back', async () => {
  const { device } = await phoneOf('cleo');
  await topic(device, 'news', { scope: 'device' });
  await topic(device, 'orders', { scope: 'user', user_id: 'cleo' });
  assertAnswered(await device.signOut(), 204);
  const news = [{ topic: 'news', scope: 'device' }];
  assert.deepEqual(await topicsOf(device), news);
  assertAnswered(await device.signIn('cleo'), 200);
  assert.deepEqual(await topicsOf(device), news);
  const late = `/topics/orders?seq=${device.nextSeq()}`;
  const refused = await device.request('PUT', late, { scope: 'user', user_id: 'dora' });
  assert.equal(refused.body['applied'], false);
});

test('what one user switched off holds for nobody else on the device', async () => {
  const { device, token } = await phoneOf('emil');
  const quiet = {
    preferences: { categories: { offers: false } },
    consent: { offers: { given: false, source: 'settings' } },
    locale: 'fr',
  };
  assertAnswered(await backEnd.request('PUT', '/v1/users/emil', quiet), 200);
  assert.deepEqual(await tokensReached(network, offer('emil')), []);
  assertAnswered(await device.signIn('fritz'), 200);
  assert.deepEqual(await tokensReached(network, offer('fritz')), tokens(token));
  const fritz = (await backEnd.get('/v1/users/fritz')).body;
  assert.deepEqual([fritz['preferences'], fritz['consent'], fritz['locale']], [{}, {}, null]);
});

test('what the device itself switched off stays off, whoever signs in there', async () => {
  const { device } = await phoneOf('greta');
  const path = `/preferences?seq=${device.nextSeq()}`;
  assertAnswered(await device.request('PUT', path, { categories: { offers: false } }), 200);
  assertAnswered(await device.signOut(), 204);
  assertAnswered(await device.signIn('hans'), 200);
  assert.deepEqual(await tokensReached(network, offer('hans')), []);
});
