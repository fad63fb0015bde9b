import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@homing/server';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, fcmToken, type Device } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const HOUR_MS = 3_600_000;

async function report(network: Network, id: string) {
  const found = await network.backEnd.report(id);
  assertConserved(found);
  return found;
}

/** A phone whose token is dead, and a notification that ended because of it. */
async function refused(network: Network, more: Readonly<Record<string, unknown>> = {}) {
  const [phone, gone] = [network.device(), apnsToken()];
  assertAnswered(await phone.register(gone, 'sara'), 201);
  network.clock.advance(LIMITS.checkInMs + 1_000);
  network.apns.devices.set(gone.value, {
    kind: 'unregistered',
    atMs: network.clock.now().getTime(),
  });
  const id = await network.backEnd.sendToUsers(['sara'], { title: 'Your parcel is here' }, more);
  await network.drain();
  const ended = await report(network, id);
  assert.deepEqual(ended['reasons'], { failed: { token_dead: 1 } });
  assert.equal(ended['status'], 'finished');
  return { phone, gone, id };
}

function refresh(phone: Device, token: unknown): () => Promise<void> {
  return async () => assertAnswered(await phone.sync({ token }), 200);
}

test('a notification that met a dead token follows its phone to the next token', async () => {
  await using network = await startNetwork();
  const { phone, gone, id } = await refused(network);
  const fresh = apnsToken();

  assert.deepEqual(await tokensReached(network, refresh(phone, fresh)), tokens(fresh));

  const ended = await report(network, id);
  assert.equal(ended['status'], 'finished');
  assert.equal(ended['counts']?.['accepted'], 1);
  assert.equal(ended['counts']?.['failed'], 0);
  assert.equal(ended['possible_duplicates'], 0);
  const [delivery] = await network.backEnd.deliveries(id);
  assert.equal(delivery?.['attempts'], 2);
  // Both attempts carry the id of the one delivery that they are.
  const [first] = network.journal.entries({ token: gone.value });
  const [second] = network.journal.entries({ token: fresh.value });
  assert.equal(first?.headers['apns-id'], second?.headers['apns-id']);
});

test('it also follows to another provider, and to a token that came while it was on its way', async () => {
  await using network = await startNetwork();
  const [phone, gone, fresh] = [network.device(), fcmToken(), apnsToken()];
  assertAnswered(await phone.register(gone, 'sara'), 201);
  network.fcm.devices.set(gone.value, { kind: 'unregistered' });
  using hold = network.fcm.faults.hold();
  const id = await network.backEnd.sendToUsers(['sara']);
  const drained = network.drain();
  await hold.arrived();
  await refresh(phone, fresh)();
  hold.release();
  await drained;

  assert.equal((await report(network, id))['counts']?.['accepted'], 1);
  assert.equal(network.journal.entries({ token: fresh.value }).length, 1);
});

test('what has expired meanwhile stays as it ended', async () => {
  await using network = await startNetwork();
  const late = await refused(network, { options: { ttl_seconds: 3_600 } });
  network.clock.advance(2 * HOUR_MS);
  assert.deepEqual(await tokensReached(network, refresh(late.phone, apnsToken())), []);
  assert.deepEqual((await report(network, late.id))['reasons'], { failed: { token_dead: 1 } });
});

test('what was cancelled after it had met a dead token stays as it ended', async () => {
  await using network = await startNetwork();
  const { phone, id } = await refused(network);
  const cancelled = await network.backEnd.request('POST', `/v1/notifications/${id}/cancel`);
  assert.equal(cancelled.body['cancelled'], true);
  assert.deepEqual(await tokensReached(network, refresh(phone, apnsToken())), []);
  assert.equal((await report(network, id))['status'], 'cancelled');
});

test('a death that is settled before an older acceptance does not end what follows it', async () => {
  await using network = await startNetwork();
  const [phone, gone, fresh] = [network.device(), apnsToken(), apnsToken()];
  assertAnswered(await phone.register(gone, 'sara'), 201);
  network.clock.advance(LIMITS.checkInMs + 1_000);
  // The first push is taken, but its answer comes after the word that the token is dead.
  const slow = network.apns.faults.hold({ token: gone.value }, 'answer');
  const taken = await network.backEnd.sendToUsers(['sara']);
  await slow.arrived();
  const atMs = network.clock.now().getTime();
  network.apns.devices.set(gone.value, { kind: 'unregistered', atMs });
  const id = await network.backEnd.sendToUsers(['sara']);
  await slow.arrived(2);
  slow.release();
  await network.drain();
  assert.deepEqual((await report(network, id))['reasons'], { failed: { token_dead: 1 } });
  assert.equal((await report(network, taken))['counts']?.['accepted'], 1);
  assert.deepEqual(await tokensReached(network, refresh(phone, fresh)), tokens(fresh));
});

test('what met a death that its phone had refuted already is offered again', async () => {
  await using network = await startNetwork();
  const [phone, token] = [network.device(), apnsToken()];
  assertAnswered(await phone.register(token, 'sara'), 201);
  using hold = network.apns.faults.hold({ token: token.value }, 'answer');
  network.clock.advance(LIMITS.checkInMs + 1_000);
  const atMs = network.clock.now().getTime();
  network.apns.devices.set(token.value, { kind: 'unregistered', atMs });
  const id = await network.backEnd.sendToUsers(['sara']);
  await hold.arrived();
  network.clock.advance(1_000);
  await refresh(phone, token)();
  network.apns.devices.set(token.value, { kind: 'live' });
  hold.release();
  await network.drain();
  assert.equal((await report(network, id))['counts']?.['accepted'], 1);
});

test('a notification for somebody who is not signed in any more stays as it ended', async () => {
  await using network = await startNetwork();
  const { phone, id } = await refused(network);
  assertAnswered(await phone.signOut(), 204);
  assert.deepEqual(await tokensReached(network, refresh(phone, apnsToken())), []);
  assertAnswered(await phone.signIn('ben'), 200);
  assert.deepEqual(await tokensReached(network, refresh(phone, apnsToken())), []);
  assert.deepEqual((await report(network, id))['reasons'], { failed: { token_dead: 1 } });
});

test('a phone that keeps reporting its dead token does not make us knock for ever', async () => {
  await using network = await startNetwork();
  const { phone, gone, id } = await refused(network);
  for (let visit = 0; visit < LIMITS.tokenAttempts + 3; visit += 1) {
    network.clock.advance(60_000);
    network.apns.devices.set(gone.value, {
      kind: 'unregistered',
      atMs: network.clock.now().getTime() + 1_000,
    });
    await refresh(phone, gone)();
    network.clock.advance(2_000);
    await network.drain();
    await report(network, id);
  }
  assert.equal(network.journal.entries({ token: gone.value }).length, LIMITS.tokenAttempts);
});

test('what met a former token follows to the next one once the doubt about that is cleared', async () => {
  await using network = await startNetwork();
  const { fcm, journal, clock, backEnd } = network;
  const [phone, gone, fresh] = [network.device(), fcmToken(), fcmToken()];
  assertAnswered(await phone.register(gone, 'sara'), 201);
  fcm.devices.set(gone.value, { kind: 'unregistered' });
  using hold = fcm.faults.hold({ token: gone.value }, 'answer');
  const early = await backEnd.sendToUsers(['sara']);
  await hold.arrived();
  await refresh(phone, fresh)();
  const worked = await backEnd.sendToUsers(['sara']);
  while ((await backEnd.deliveries(worked)).length === 0);

  // A message that Google does not like puts the token aside, and the question has to be repeated.
  const match = { token: fresh.value };
  const refusal = { kind: 'answer', status: 400, reason: 'INVALID_ARGUMENT:token' } as const;
  fcm.faults.schedule({ times: 1, match, fault: refusal });
  fcm.faults.schedule({
    times: 1,
    match,
    fault: { kind: 'answer', status: 503, reason: 'UNAVAILABLE' },
  });
  const bad = await backEnd.sendToUsers(['sara']);
  while (journal.entries(match).length < 3) await report(network, bad);
  hold.release();
  await network.drain();
  assert.deepEqual((await report(network, early))['reasons'], { failed: { token_dead: 1 } });
  await clock.advance(2 * LIMITS.probeRetryMs);
  await network.drain();

  assert.deepEqual((await report(network, bad))['reasons'], { failed: { payload: 1 } });
  assert.equal((await report(network, early))['counts']?.['accepted'], 1);
});
