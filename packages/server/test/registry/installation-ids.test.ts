import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { tokensReached } from '../../../../test/pushes.ts';

const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());
const { backEnd } = network;

/** A Firebase installation id: 22 characters, of which the first four bits are 0111. */
function fid() {
  const bytes = randomBytes(17);
  bytes[0] = 0x70 | ((bytes[0] ?? 0) & 0x0f);
  const value = bytes.toString('base64url').slice(0, 22);
  return { provider: 'fcm', kind: 'fid', value } as const;
}

function sendTo(user: string): () => Promise<string> {
  return () => backEnd.sendToUsers([user]);
}

function targetsOf(value: string) {
  return network.journal.entries({ token: value }).map(({ body }) => {
    const { token, fid: installation } = (body as { message: Record<string, unknown> }).message;
    return { token, fid: installation };
  });
}

test('an installation id takes the place of the token that the installation had', async () => {
  const [phone, token, id] = [network.device(), fcmToken(), fid()];
  assertAnswered(await phone.register(token, 'anna'), 201);
  assertAnswered(await phone.sync({ token: id }), 200);

  assert.deepEqual(await tokensReached(network, sendTo('anna')), [id.value]);
  assert.deepEqual(targetsOf(id.value), [{ token: undefined, fid: id.value }]);
  assert.equal(network.journal.entries({ token: token.value }).length, 0);
  const timeline = (await backEnd.timeline(phone.id)).join('\n');
  assert.match(timeline, /replaced/);

  // The former address is nobody's: whoever reports it next has it without any proof.
  const next = network.device();
  assertAnswered(await next.register(token, 'ben'), 201);
  assert.deepEqual(await tokensReached(network, sendTo('ben')), [token.value]);
  assert.deepEqual(await tokensReached(network, sendTo('anna')), [id.value]);
});

test('a late packet with the token does not bring it back', async () => {
  const [phone, token, id] = [network.device(), fcmToken(), fid()];
  const former = { seq: phone.nextSeq(), token };
  assertAnswered(await phone.sync(former), 201);
  assertAnswered(await phone.signIn('carla'), 200);
  assertAnswered(await phone.sync({ token: id }), 200);
  const late = await phone.sync(former);
  assertAnswered(late, 200);
  assert.equal(late.body['reason']?.['token'], 'superseded');
  assert.deepEqual(await tokensReached(network, sendTo('carla')), [id.value]);
});

test('an installation id that FCM does not know any more is retired, and the next one is used', async () => {
  const [phone, gone, fresh] = [network.device(), fid(), fid()];
  assertAnswered(await phone.register(gone, 'dora'), 201);
  network.fcm.devices.set(gone.value, { kind: 'unregistered' });
  await backEnd.sendToUsers(['dora']);
  await network.drain();
  assert.equal((await backEnd.installation(phone.id))['status'], 'retired');
  const refresh = async () => assertAnswered(await phone.sync({ token: fresh }), 200);
  assert.deepEqual(await tokensReached(network, refresh), [fresh.value]);
});
