import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { LIMITS } from '@homing/server';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, Device, fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { addresseeTag } from '../../src/domain/addressee-tag.ts';
import { dropTombstones } from '../../src/store/installations.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { SimpleClient } from '../http/simple-client.ts';

/** Installations that a back end made before their device came. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { backEnd } = network;
const DAY_MS = 86_400_000;

async function madeFor(phone: Device, packet: object = {}): Promise<void> {
  const path = `/v1/installations/${phone.id}`;
  assertAnswered(await backEnd.request('PUT', path, { token: apnsToken(), ...packet }), 201);
}

function assertionFor(phone: Device, userId: string, jti: string): Promise<string> {
  return network.issuer.sign(network.app.id, userId, { installationId: phone.id, jti });
}

test('the first client whose assertion names the installation makes it its own', async () => {
  const phone = network.device();
  await madeFor(phone);
  assertProblem(await phone.sync({ device: { label: 'x' } }), 'invalid_credentials');
  assertProblem(await phone.sync({ user: { id: 'anna' } }), 'invalid_credentials');
  const other = await network.device().assertion('anna');
  const foreign = await phone.sync({ user: { id: 'anna', assertion: other } });
  assertProblem(foreign, 'invalid_credentials');
  assertAnswered(await phone.signIn('anna'), 200);
  // From now on its secret is enough, and the only one.
  assertAnswered(await phone.sync({ device: { label: 'x' } }), 200);
  assertAnswered(await phone.signOut(), 204);
});

test('a user whom the back end signed in gets the tag that the device computes', async () => {
  const phone = network.device();
  await madeFor(phone, { user: { id: 'ben' } });
  network.clock.advance(1_000);
  assertAnswered(await phone.signIn('ben'), 200);
  const secretHash = createHash('sha256').update(phone.secret).digest();
  const [row] = await network.homing.db<{ rcpt: string }[]>`
    select l.rcpt from installation i join link l using (installation_ref)
    where i.id = ${phone.id} and l.ended_at is null`;
  assert.equal(row?.rcpt, addresseeTag(secretHash, 'ben'));
});

test('that a back end linked the user makes no bad, old or used assertion a good one', async () => {
  const [phone, other] = [network.device(), network.device()];
  const cached = await phone.assertion('anna');
  const used = await assertionFor(other, 'anna', 'used-elsewhere');
  assertAnswered(await other.sync({ user: { id: 'anna', assertion: used } }), 201);
  network.clock.advance(1_000);
  await madeFor(phone, { user: { id: 'anna' } });
  network.clock.advance(1_000);
  const usedHere = await assertionFor(phone, 'anna', 'used-elsewhere');
  for (const assertion of ['forged', cached, usedHere, await other.assertion('anna')]) {
    const answer = await phone.sync({ user: { id: 'anna', assertion } });
    assertProblem(answer, 'invalid_credentials');
  }
  assertAnswered(await phone.signIn('anna'), 200);
});

test("what a home-grown client registered is nobody else's to adopt", async () => {
  const { url, app, issuer } = network;
  const client = new SimpleClient(url, app);
  const body = { token: fcmToken().value, userId: 'anna', deviceId: 'the phone of anna' };
  assertAnswered(await client.register(body, await issuer.sign(app.id, 'anna')), 200);
  network.clock.advance(2_000);
  const memory = { id: client.installationId(body.deviceId), secret: 'M'.repeat(43), seq: 0 };
  const stranger = new Device(url, app, issuer, null, memory);
  assertProblem(await stranger.signIn('mallory'), 'invalid_credentials');
  assertProblem(await stranger.signIn('anna'), 'invalid_credentials');
  network.clock.advance(2_000);
  assertAnswered(await client.register(body, await issuer.sign(app.id, 'anna')), 200);
  assert.equal((await backEnd.installation(memory.id))['user']?.['id'], 'anna');
});

test('tombstones are forgotten with and without a secret, once', async () => {
  const [own, made] = [network.device(), network.device()];
  assertAnswered(await own.register(apnsToken()), 201);
  await madeFor(made);
  for (const phone of [own, made]) {
    const path = `/v1/installations/${phone.id}`;
    assertAnswered(await backEnd.request('DELETE', path), 204);
  }
  const { db } = network.homing;
  const kept = new Date(network.clock.now().getTime() - LIMITS.tombstoneDays * DAY_MS);
  assert.equal(await dropTombstones(db, kept, 10), 0);
  const later = new Date(network.clock.now().getTime() + DAY_MS);
  assert.equal(await dropTombstones(db, later, 10), 2);
  assert.equal(await dropTombstones(db, later, 10), 0);
  assertProblem(await backEnd.get(`/v1/installations/${made.id}`), 'not_found');
});
