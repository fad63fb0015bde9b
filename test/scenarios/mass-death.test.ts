import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@homing/server';
import { addCredential } from '../../packages/server/src/credentials/add-credential.ts';
import { sealContext } from '../../packages/server/src/credentials/open-credential.ts';
import { credentialsOfApp } from '../../packages/server/src/store/credentials.ts';
import { inTransaction } from '../../packages/server/src/store/transaction.ts';
import { assertAnswered } from '../answered.ts';
import { createTestClock } from '../clock.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, fcmToken } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const PHONES = LIMITS.massDeathTokens + 10;

/** Phones of one user, all with the same app. */
async function phonesOf(network: Network, userId: string, count: number) {
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      // Some for each address, because one may enrol so many at once.
      const [phone, token] = [network.device(`10.8.0.${index % 16}`), apnsToken()];
      assertAnswered(await phone.register(token, userId), 201);
      return { phone, token };
    }),
  );
}

async function openAlerts(network: Network) {
  const answer = await network.backEnd.get('/v1/alerts?open=true');
  assertAnswered(answer, 200);
  return answer.body['data'] as unknown as readonly Readonly<Record<string, string>>[];
}

/** How many of an app's installations have which status. */
async function statuses(network: Network): Promise<Readonly<Record<string, number>>> {
  const found = await network.backEnd.get('/v1/installations?limit=500');
  const rows = found.body['data'] as unknown as readonly { readonly status: string }[];
  return Object.fromEntries(
    [...Map.groupBy(rows, (row) => row.status)].map(([status, of]) => [status, of.length]),
  );
}

async function send(network: Network): Promise<string> {
  const id = await network.backEnd.sendToUsers(['anna']);
  await network.drain();
  assertConserved(await network.backEnd.report(id));
  return id;
}

for (const kind of ['other_topic', 'other_environment', 'unregistered'] as const) {
  test(`S73: a provider that calls every token ${kind} takes none away`, async () => {
    await using network = await startNetwork();
    const phones = await phonesOf(network, 'anna', PHONES);
    network.clock.advance(24 * 3_600_000);
    const atMs = network.clock.now().getTime();
    for (const { token } of phones) {
      network.apns.devices.set(token.value, kind === 'unregistered' ? { kind, atMs } : { kind });
      network.sandbox.devices.set(token.value, { kind: 'other_environment' });
    }

    const id = await send(network);

    assert.deepEqual(await statuses(network), { active: PHONES });
    assert.equal((await network.backEnd.report(id))['counts']?.['failed'], PHONES);
    const [alert, ...others] = await openAlerts(network);
    assert.equal(alert?.['kind'], 'mass_death_freeze');
    assert.deepEqual(others, []);
    // Frozen, it goes on believing nothing.
    await send(network);
    assert.deepEqual(await statuses(network), { active: PHONES });

    // The topic is put right: the first acceptance thaws, and what was refused goes out.
    for (const { token } of phones) network.apns.devices.set(token.value, { kind: 'live' });
    const third = () => network.backEnd.sendToUsers(['anna']);
    const reached = await tokensReached(network, third);
    const all = phones.map(({ token }) => token);
    assert.deepEqual(reached, tokens(...all, ...all, ...all));
    assert.deepEqual(await openAlerts(network), []);
    const report = await network.backEnd.report(id);
    assertConserved(report);
    assert.equal(report['counts']?.['accepted'], PHONES);
    assert.equal(report['status'], 'finished');
  });
}

test('many deaths among acceptances are believed', async () => {
  await using network = await startNetwork();
  const [kept] = await phonesOf(network, 'anna', 1);
  const phones = await phonesOf(network, 'anna', PHONES);
  await send(network);
  network.clock.advance(24 * 3_600_000);
  // The phone that is alive is asked first, so that APNs has taken something.
  await tokensReached(network, () =>
    network.backEnd.send({
      audience: { installations: [kept?.phone.id] },
      content: { title: 'Hello' },
    }),
  );
  const atMs = network.clock.now().getTime();
  for (const { token } of phones)
    network.apns.devices.set(token.value, { kind: 'unregistered', atMs });
  await send(network);
  assert.deepEqual(await statuses(network), { active: 1, retired: PHONES });
  assert.deepEqual(await openAlerts(network), []);
});

test('fewer deaths than a freeze needs are believed', async () => {
  await using network = await startNetwork();
  const google = await Promise.all(
    Array.from({ length: LIMITS.massDeathTokens - 1 }, async () => {
      const [phone, token] = [network.device(), fcmToken()];
      assertAnswered(await phone.register(token, 'anna'), 201);
      network.fcm.devices.set(token.value, { kind: 'unregistered' });
      return phone;
    }),
  );
  await send(network);
  assert.deepEqual(await statuses(network), { retired: google.length });
  assert.deepEqual(await openAlerts(network), []);
});

test('a freeze gives back what was taken within its window, and tells so', async () => {
  await using network = await startNetwork();
  const early = await phonesOf(network, 'ben', PHONES / 2);
  const phones = [...early, ...(await phonesOf(network, 'anna', PHONES / 2))];
  network.clock.advance(24 * 3_600_000);
  const atMs = network.clock.now().getTime();
  for (const { token } of phones) {
    network.apns.devices.set(token.value, { kind: 'unregistered', atMs });
  }
  await network.backEnd.sendToUsers(['ben']);
  await network.drain();
  assert.deepEqual(await statuses(network), { active: PHONES / 2, retired: PHONES / 2 });
  // Meanwhile somebody else has taken one of the addresses, which is then not given back.
  const [lost, kept] = early;
  assertAnswered(await network.device().register(lost?.token, 'carla'), 201);

  await send(network);

  assert.deepEqual(await statuses(network), { active: PHONES, retired: 1 });
  const timeline = await network.backEnd.timeline(kept?.phone.id ?? '');
  assert.ok(timeline.some((line) => line.includes('was retired by the provider')));
  assert.match(timeline.at(-1) ?? '', /was refused together with too many others/);
});

test('a person who closes the alert believes the provider again', async () => {
  await using network = await startNetwork();
  const phones = await phonesOf(network, 'anna', PHONES);
  for (const { token } of phones.slice(1)) {
    network.apns.devices.set(token.value, { kind: 'other_topic' });
  }
  const [first] = phones;
  network.apns.devices.set(first?.token.value ?? '', { kind: 'throttled' });
  await send(network);
  const [alert] = await openAlerts(network);
  for (const { token } of phones) network.apns.devices.set(token.value, { kind: 'live' });

  const close = async () => {
    const path = `/v1/alerts/${alert?.['id']}/close`;
    assertAnswered(await network.backEnd.request('POST', path), 200);
  };
  // Nobody was asked meanwhile, so what had been refused is what goes out.
  assert.deepEqual(
    await tokensReached(network, close),
    tokens(...phones.slice(1).map(({ token }) => token)),
  );
  const timeline = await network.backEnd.timeline(phones[1]?.phone.id ?? '');
  assert.ok(timeline.every((line) => !line.includes('retired')));
});

test('a freeze gives back all that was taken since the last acceptance, whatever the minute', async () => {
  const minute = Math.floor(Date.now() / 60_000) * 60_000;
  const clock = createTestClock(() => minute);
  await using network = await startNetwork({ clock });
  const [live] = await phonesOf(network, 'live', 1);
  const early = await phonesOf(network, 'ben', PHONES);
  const late = await phonesOf(network, 'anna', PHONES);
  clock.advance(24 * 3_600_000 + 1_000);
  const atMs = clock.now().getTime();
  await network.backEnd.sendToUsers(['live']);
  await network.drain();
  for (const { token } of [...early, ...late]) {
    network.apns.devices.set(token.value, { kind: 'unregistered', atMs });
  }
  // Within the minute of the acceptance the deaths are believed.
  clock.advance(2_000);
  await network.backEnd.sendToUsers(['ben']);
  await network.drain();
  assert.deepEqual(await statuses(network), { active: PHONES + 1, retired: PHONES });

  clock.advance(LIMITS.massDeathMs + 60_000);
  await send(network);

  assert.deepEqual(await statuses(network), { active: 2 * PHONES + 1 });
  assert.ok(live);
});

/** The tokens of an app by their state. */
async function tokenStates({ homing }: Network): Promise<Readonly<Record<string, number>>> {
  const rows = await homing.db<{ state: string; count: number }[]>`
    select token_status as state, count(*)::integer as count from installation group by 1`;
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

test('what a freeze took from more phones than one slice has is given back, and offered again', async () => {
  await using network = await startNetwork();
  const [live = assert.fail()] = await phonesOf(network, 'live', 1);
  const early = await phonesOf(network, 'ben', LIMITS.reliefSlice + 20);
  const late = await phonesOf(network, 'anna', PHONES);
  await network.clock.advance(24 * 3_600_000);
  const atMs = network.clock.now().getTime();
  await network.backEnd.sendToUsers(['live']);
  await network.drain();
  for (const { token } of [live, ...early, ...late]) {
    network.apns.devices.set(token.value, { kind: 'unregistered', atMs });
  }
  // While the provider takes something, the deaths of a whole slice and more are believed.
  await network.clock.advance(2_000);
  const believed = await network.backEnd.sendToUsers(['ben']);
  await network.drain();
  assert.deepEqual(await tokenStates(network), { live: PHONES + 1, retired: early.length });

  await network.clock.advance(LIMITS.massDeathMs + 60_000);
  const refused = await send(network);
  assert.deepEqual(await tokenStates(network), { live: early.length + PHONES + 1 });
  const restored = await network.homing.db`select 1 from event where kind = 'token.restored'`;
  assert.equal(restored.length, early.length);

  for (const { token } of [live, ...early, ...late]) {
    network.apns.devices.set(token.value, { kind: 'live' });
  }
  const all = [...early, ...late].map(({ token }) => token);
  const thaw = () => network.backEnd.sendToUsers(['live']);
  assert.deepEqual(await tokensReached(network, thaw), tokens(...all, live.token));
  for (const [id, count] of [
    [believed, early.length],
    [refused, PHONES],
  ] as const) {
    const report = await network.backEnd.report(id);
    assertConserved(report);
    assert.deepEqual([report['status'], report['counts']?.['accepted']], ['finished', count]);
  }
  assert.deepEqual(await openAlerts(network), []);
  const left = await network.homing.db`select 1 from relief`;
  assert.equal(left.length, 0);
});

/** Puts a credential like the one that the app has for APNs in its place. */
async function replaceApnsCredential({ homing: { db, vault } }: Network): Promise<void> {
  const [row] = await db<{ ref: number }[]>`select app_ref as ref from app`;
  const all = await credentialsOfApp(db, row?.ref ?? 0);
  const old = all.find(({ provider }) => provider === 'apns');
  assert.ok(old);
  const secret = JSON.parse(vault.open(old.sealedSecret, sealContext(old)).toString());
  await inTransaction(db, (tx) => addCredential(tx, vault, { ...old, secret }));
}

test('S73: a credential that is put in the place of a wrong one ends its freeze', async () => {
  await using network = await startNetwork();
  const phones = await phonesOf(network, 'anna', PHONES);
  for (const { token } of phones) network.apns.devices.set(token.value, { kind: 'other_topic' });
  const id = await send(network);
  assert.equal((await openAlerts(network)).length, 1);

  await replaceApnsCredential(network);
  for (const { token } of phones) network.apns.devices.set(token.value, { kind: 'live' });

  const all = phones.map(({ token }) => token);
  assert.deepEqual(await tokensReached(network, () => send(network)), tokens(...all, ...all));
  assert.deepEqual(await openAlerts(network), []);
  assert.equal((await network.backEnd.report(id))['counts']?.['accepted'], PHONES);
});
