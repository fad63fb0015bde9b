import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { apnsToken } from '../device.ts';
import { startNetwork, TOPIC, type Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';

const PATH = '/v1/app/credentials';
/** Longer than a worker takes to follow a change. */
const FOLLOWED_MS = 11_000;

async function credentialId({ backEnd }: Network): Promise<string> {
  const { body } = await backEnd.get(PATH);
  const cards = body['data'] as unknown as readonly { id: string; provider: string }[];
  return cards.find(({ provider }) => provider === 'apns')?.id ?? '';
}

async function sendOne(network: Network): Promise<void> {
  const before = acceptedPushes(network.journal).length;
  await network.backEnd.sendToUsers(['sara']);
  await network.drain();
  assert.equal(acceptedPushes(network.journal).length, before + 1);
}

test('a worker follows a rate that was set, changed and lifted, without a restart', async () => {
  await using network = await startNetwork();
  const { backEnd, homing, clock } = network;
  assertAnswered(await network.device().register(apnsToken(), 'sara'), 201);
  const id = await credentialId(network);
  const buckets = () => homing.db`select name from rate_bucket where name like 'credential/%'`;
  await sendOne(network);
  assert.equal((await buckets()).length, 0, 'APNs has no rate of its own');

  const rate = { per_minute: 6_000 };
  assertAnswered(await backEnd.request('PATCH', `${PATH}/${id}`, { rate }), 200);
  await clock.advance(FOLLOWED_MS);
  await sendOne(network);
  assert.equal((await buckets()).length, 1);

  const lifted = { rate: { per_minute: null } };
  assertAnswered(await backEnd.request('PATCH', `${PATH}/${id}`, lifted), 200);
  await homing.db`delete from rate_bucket`;
  await clock.advance(FOLLOWED_MS);
  await sendOne(network);
  assert.equal((await buckets()).length, 0);
});

test('connections of a retired credential are closed, and its successor has its own', async () => {
  await using network = await startNetwork();
  const { backEnd, clock, apns } = network;
  assertAnswered(await network.device().register(apnsToken(), 'sara'), 201);
  await sendOne(network);
  const former = apns.connections.map((connection) => connection.id);
  assert.equal(former.length, 1);
  const id = await credentialId(network);
  const settings = { ...network.credentials.apns, topics: [TOPIC] };
  assertAnswered(await backEnd.request('POST', PATH, { provider: 'apns', settings }), 201);
  assertAnswered(await backEnd.request('DELETE', `${PATH}/${id}`), 204);
  await clock.advance(FOLLOWED_MS);
  await sendOne(network);
  const living = new Set(apns.connections.map((connection) => connection.id));
  assert.equal(living.size, 1);
  assert.ok(former.every((connection) => !living.has(connection)));
});

test('what waits for a retired credential is skipped where there is no other', async () => {
  await using network = await startNetwork();
  const { backEnd, clock, apns } = network;
  assertAnswered(await network.device().register(apnsToken(), 'sara'), 201);
  const fault = { kind: 'answer', status: 403, reason: 'InvalidProviderToken' } as const;
  apns.faults.schedule({ times: Infinity, fault });
  const waiting = await backEnd.sendToUsers(['sara']);
  await network.drain();
  assert.equal(Number((await backEnd.report(waiting))['counts']?.['pending']), 1);
  const id = await credentialId(network);
  assertAnswered(await backEnd.request('DELETE', `${PATH}/${id}`), 204);
  await clock.advance(120_000);
  await network.drain();
  assert.deepEqual((await backEnd.report(waiting))['reasons'], { skipped: { no_credential: 1 } });
});
