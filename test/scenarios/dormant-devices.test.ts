import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, type Device } from '../device.ts';
import { startNetwork } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

/** Dormant installations: out of campaigns, reachable for what matters, back with a check-in. */
const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());
const { backEnd, clock, homing } = network;
const DAY_MS = 86_400_000;
const BULK = { options: { lane: 'bulk' } };
const UNAVAILABLE = { kind: 'answer', status: 503, reason: 'ServiceUnavailable' } as const;

async function phoneOf(user: string) {
  const [device, token] = [network.device(), apnsToken()];
  assertAnswered(await device.register(token, user), 201);
  return { device, token };
}

function send(user: string, more: Readonly<Record<string, unknown>> = {}) {
  return () => backEnd.sendToUsers([user], undefined, more);
}

/** Applies a review to whoever has been silent for long enough by now. */
async function applyReview(): Promise<void> {
  const begun = await backEnd.request('POST', '/v1/reviews');
  assertAnswered(begun, 202);
  await homing.maintenance.run();
  const { id } = begun.body as unknown as { id: string };
  const path = `/v1/reviews/${id}`;
  const { totals } = (await backEnd.get(path)).body as unknown as { totals: { dormant: number } };
  const { dormant } = totals;
  assertAnswered(await backEnd.request('POST', `${path}/apply`, { dormant }), 202);
  await homing.maintenance.run();
}

async function fallDormant(device: Device): Promise<void> {
  await clock.advance(61 * DAY_MS);
  await applyReview();
  assert.equal((await backEnd.installation(device.id))['status'], 'dormant');
}

async function skippedFor(id: string): Promise<unknown> {
  const report = await backEnd.report(id);
  assertConserved(report);
  return (await backEnd.deliveries(id)).map((one) => [one['state'], one['reason']]);
}

test('a campaign leaves a dormant phone out, and what is transactional reaches it', async () => {
  const phone = await phoneOf('anna');
  await fallDormant(phone.device);
  const campaign = await backEnd.sendToUsers(['anna'], undefined, BULK);
  await network.drain();
  assert.deepEqual(await skippedFor(campaign), [['skipped', 'dormant']]);
  assert.deepEqual(await tokensReached(network, send('anna')), tokens(phone.token));
  const dryRun = await backEnd.request('POST', '/v1/notifications/validate', {
    audience: { users: ['anna'] },
    content: { title: 'Sale' },
    ...BULK,
  });
  assert.deepEqual(dryRun.body['exclusions'], { dormant: 1 });
});

test('it is back in campaigns as soon as it checked in', async () => {
  const phone = await phoneOf('ben');
  await fallDormant(phone.device);
  assertAnswered(await phone.device.sync({ seq: phone.device.seq, token: phone.token }), 200);
  assert.deepEqual(await tokensReached(network, send('ben', BULK)), tokens(phone.token));
});

test('an app may send nothing at all to its dormant phones', async () => {
  const phone = await phoneOf('cleo');
  await fallDormant(phone.device);
  const set = (value: boolean) =>
    backEnd.request('PATCH', '/v1/app', { dormancy: { send_transactional: value } });
  assertAnswered(await set(false), 200);
  const id = await backEnd.sendToUsers(['cleo']);
  await network.drain();
  assert.deepEqual(await skippedFor(id), [['skipped', 'dormant']]);
  assertAnswered(await set(true), 200);
  assert.deepEqual(await tokensReached(network, send('cleo')), tokens(phone.token));
});

test('a phone that falls dormant while its push waits is left out all the same', async () => {
  const phone = await phoneOf('dora');
  await clock.advance(61 * DAY_MS);
  const match = { token: phone.token.value };
  network.apns.faults.schedule({ times: Infinity, match, fault: UNAVAILABLE });
  const id = await backEnd.sendToUsers(['dora'], undefined, BULK);
  await network.drain();
  await applyReview();
  network.apns.faults.clear();
  await clock.advance(60 * 60 * 1_000);
  await network.drain();
  assert.deepEqual(await skippedFor(id), [['skipped', 'dormant']]);
});
