import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, LIMITS } from '@homing/server';
import { EXPO_RECEIPTS_PATH } from '@homing/simulators';
import { countTickets } from '../../packages/server/src/store/tickets.ts';
import { assertAnswered } from '../answered.ts';
import { createFrozenClock, createTestClock } from '../clock.ts';
import { assertConserved } from '../conservation.ts';
import { expoToken, type Device } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import { startNetwork, type Network, type NetworkOptions } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const RECEIPTS_MS = 15 * MINUTE_MS;
/** After this an unchanged check-in is written, so that one that did not come is known of. */
const SILENCE_MS = LIMITS.checkInMs + HOUR_MS;

/** A network whose time moves only when a test says so. */
function startStill(options: NetworkOptions = {}): Promise<Network> {
  const still = { clock: createFrozenClock(), overrides: { random: () => 0.5 } };
  return startNetwork({ ...still, logger: createLogger('silent'), ...options });
}

async function phoneOf(
  network: Network,
  userId: string,
  token = expoToken(),
  address?: string,
): Promise<Device> {
  const phone = network.device(address);
  assertAnswered(await phone.register(token, userId), 201);
  return phone;
}

async function pass(network: Network, ms: number): Promise<void> {
  await network.clock.advance(ms);
  await network.drain();
}

async function send(network: Network, userId = 'sara'): Promise<string> {
  const id = await network.backEnd.sendToUsers([userId]);
  await network.drain();
  return id;
}

async function statusOf(network: Network, phone: Device): Promise<unknown> {
  return (await network.backEnd.installation(phone.id))['status'];
}

async function reportOf(network: Network, id: string) {
  const report = await network.backEnd.report(id);
  assertConserved(report);
  return report;
}

/** How many deliveries of a notification are accepted, and why the others are not. */
async function fateOf(network: Network, id: string) {
  const { counts, reasons } = await reportOf(network, id);
  return { accepted: counts?.['accepted'], reasons };
}

function questions(network: Network): number {
  return network.journal.entries().filter(({ path }) => path === EXPO_RECEIPTS_PATH).length;
}

async function openAlerts(network: Network): Promise<readonly unknown[]> {
  const { body } = await network.backEnd.get('/v1/alerts?open=true');
  return (body['data'] as unknown as readonly { readonly kind: string }[]).map(({ kind }) => kind);
}

test('a receipt that is in order changes nothing, and is asked for once', async () => {
  await using network = await startStill();
  const phone = await phoneOf(network, 'sara');
  const id = await send(network);
  await pass(network, RECEIPTS_MS - 1);
  assert.equal(questions(network), 0);
  await pass(network, 1);
  assert.equal(questions(network), 1);
  await pass(network, HOUR_MS);
  assert.equal(questions(network), 1);
  assert.equal(await countTickets(network.homing.db), 0);
  assert.deepEqual(await fateOf(network, id), { accepted: 1, reasons: {} });
  assert.equal(await statusOf(network, phone), 'active');
});

test('a receipt that calls a silent token dead retires it, and support sees how', async () => {
  await using network = await startStill();
  const token = expoToken('ExponentPushToken[sim-receipt-unregistered:');
  const phone = await phoneOf(network, 'sara', token);
  await pass(network, SILENCE_MS);
  const id = await send(network);
  assert.deepEqual(await fateOf(network, id), { accepted: 1, reasons: {} });
  assert.equal((await reportOf(network, id))['status'], 'finished');
  await pass(network, RECEIPTS_MS);

  const failed = { accepted: 0, reasons: { failed: { token_dead: 1 } } };
  assert.deepEqual(await fateOf(network, id), failed);
  assert.equal((await reportOf(network, id))['status'], 'finished');
  assert.equal(await statusOf(network, phone), 'retired');
  const cause = 'receipt:DeviceNotRegistered';
  const said = `Taken by Expo, whose receipt said later: the token is not valid any more (${cause}).`;
  assert.deepEqual(
    new Set((await network.backEnd.timeline(phone.id)).slice(-2)),
    new Set([`Token ${fingerprint(token)} was retired by the provider: ${cause}.`, said]),
  );
  const path = `/v1/notifications/${id}/explain?user_id=sara`;
  const { installations } = (await network.backEnd.get(path)).body as unknown as {
    readonly installations: readonly { readonly sentence: string }[];
  };
  assert.deepEqual(
    installations.map(({ sentence }) => sentence),
    [said],
  );
});

test('a token that was registered again after the push outlives its receipt', async () => {
  await using network = await startStill();
  const token = expoToken('ExponentPushToken[sim-receipt-unregistered:');
  const phone = await phoneOf(network, 'sara', token);
  await pass(network, SILENCE_MS);
  const id = await send(network);
  await pass(network, 5 * MINUTE_MS);
  assertAnswered(await phone.sync({ token }), 200);
  network.expo.devices.set(token.value, { kind: 'live' });
  await pass(network, RECEIPTS_MS);

  assert.equal(await statusOf(network, phone), 'active');
  // What did not arrive is offered again, since the phone is there.
  assert.deepEqual(await fateOf(network, id), { accepted: 1, reasons: {} });
  assert.equal(network.journal.entries({ token: token.value }).length, 2);
});

test('a new token that came after the push gets what the old one did not take', async () => {
  await using network = await startStill();
  const [old, fresh] = [expoToken('ExponentPushToken[sim-receipt-unregistered:'), expoToken()];
  const phone = await phoneOf(network, 'sara', old);
  await pass(network, SILENCE_MS);
  const id = await send(network);
  assertAnswered(await phone.sync({ token: fresh }), 200);
  const receipts = (): Promise<void> => pass(network, RECEIPTS_MS);
  assert.deepEqual(await tokensReached(network, receipts), tokens(fresh));
  assert.equal(await statusOf(network, phone), 'active');
  assert.deepEqual(await fateOf(network, id), { accepted: 1, reasons: {} });
});

test('a token that may have checked in unseen since the push is only put aside', async () => {
  await using network = await startStill();
  const token = expoToken('ExponentPushToken[sim-receipt-unregistered:');
  const phone = await phoneOf(network, 'sara', token);
  await pass(network, HOUR_MS);
  const id = await send(network);
  await pass(network, RECEIPTS_MS);
  assert.equal(await statusOf(network, phone), 'quarantined');

  network.expo.devices.set(token.value, { kind: 'live' });
  const checkIn = async () => assertAnswered(await phone.sync({ token, seq: phone.seq }), 200);
  assert.deepEqual(await tokensReached(network, checkIn), tokens(token));
  assert.equal(await statusOf(network, phone), 'active');
  assert.deepEqual(await fateOf(network, id), { accepted: 1, reasons: {} });
});

test('what has no receipt is asked for ever less often for a day, and stays accepted', async () => {
  await using network = await startStill();
  await phoneOf(network, 'sara', expoToken('ExponentPushToken[sim-receipt-never:'));
  const id = await send(network);
  const askedAfter: number[] = [];
  for (let minutes = 15; minutes <= 36 * 60; minutes += 15) {
    const before = questions(network);
    await pass(network, RECEIPTS_MS);
    if (questions(network) > before) askedAfter.push(minutes);
  }
  assert.deepEqual(askedAfter, [15, 30, 60, 120, 240, 480, 960, 1_410]);
  assert.equal(await countTickets(network.homing.db), 0);
  assert.deepEqual(await fateOf(network, id), { accepted: 1, reasons: {} });
});

test('what was too much for one device is offered again, and nothing else is held up', async () => {
  await using network = await startStill();
  const token = expoToken('ExponentPushToken[sim-receipt-rate:');
  const phone = await phoneOf(network, 'sara', token);
  await phoneOf(network, 'anna');
  const id = await send(network);
  await pass(network, RECEIPTS_MS);
  const report = await reportOf(network, id);
  assert.deepEqual(report['reasons'], { retrying: { throttled: 1 } });
  assert.notEqual(report['status'], 'finished');
  const installation = await network.backEnd.installation(phone.id);
  assert.equal(installation['failures_in_a_row'], 1);
  assert.equal((await fateOf(network, await send(network, 'anna'))).accepted, 1);

  network.expo.devices.set(token.value, { kind: 'live' });
  await pass(network, MINUTE_MS);
  assert.deepEqual(await fateOf(network, id), { accepted: 1, reasons: {} });
  assert.equal((await reportOf(network, id))['status'], 'finished');
  await pass(network, RECEIPTS_MS);
  assert.deepEqual(await fateOf(network, id), { accepted: 1, reasons: {} });
});

test('a possible duplicate is counted once, whatever its receipt says', async () => {
  await using network = await startStill();
  await phoneOf(network, 'sara', expoToken('ExponentPushToken[sim-receipt-too-big:'));
  network.expo.faults.schedule({ times: 1, fault: { kind: 'accept_then_reset' } });
  const id = await send(network);
  await pass(network, MINUTE_MS);
  assert.equal((await reportOf(network, id))['possible_duplicates'], 1);
  await pass(network, RECEIPTS_MS);
  const report = await reportOf(network, id);
  assert.deepEqual(report['reasons'], { failed: { payload: 1 } });
  assert.equal(report['possible_duplicates'], 1);
});

test('a credential that a receipt calls invalid counts as stopped until a receipt is in order', async () => {
  await using network = await startStill();
  const token = expoToken('ExponentPushToken[sim-receipt-credentials:');
  await phoneOf(network, 'sara', token);
  const id = await send(network);
  await pass(network, RECEIPTS_MS);
  assert.deepEqual(await fateOf(network, id), { accepted: 0, reasons: { failed: { auth: 1 } } });
  assert.deepEqual(await openAlerts(network), ['credential_stopped']);
  assert.equal((await reportOf(network, await send(network)))['counts']?.['pending'], 1);

  network.expo.devices.set(token.value, { kind: 'live' });
  await pass(network, 2 * MINUTE_MS);
  // It was taken; whether it went through is only known later.
  assert.deepEqual(await openAlerts(network), ['credential_stopped']);
  await pass(network, RECEIPTS_MS);
  assert.deepEqual(await openAlerts(network), []);
});

test('receipts that call every token dead take none away, until one is in order', async () => {
  await using network = await startStill();
  const count = LIMITS.massDeathTokens + 10;
  const phones = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const token = expoToken('ExponentPushToken[sim-receipt-unregistered:');
      // Some for each address, because one may enrol so many at once.
      return { token, phone: await phoneOf(network, 'anna', token, `10.8.0.${index % 16}`) };
    }),
  );
  await pass(network, SILENCE_MS);
  const id = await send(network, 'anna');
  await pass(network, RECEIPTS_MS);
  assert.deepEqual(await fateOf(network, id), {
    accepted: 0,
    reasons: { failed: { token_dead: count } },
  });
  assert.deepEqual(await openAlerts(network), ['mass_death_freeze']);
  for (const { phone } of phones) assert.equal(await statusOf(network, phone), 'active');

  for (const { token } of phones) network.expo.devices.set(token.value, { kind: 'live' });
  await phoneOf(network, 'sara');
  await send(network, 'sara');
  await pass(network, RECEIPTS_MS);
  assert.deepEqual(await openAlerts(network), []);
  assert.deepEqual(await fateOf(network, id), { accepted: count, reasons: {} });
});

test('a refused question is asked again, and its receipts are heard then', async () => {
  await using network = await startStill();
  await phoneOf(network, 'sara', expoToken('ExponentPushToken[sim-receipt-developer:'));
  const id = await send(network);
  const match = { path: EXPO_RECEIPTS_PATH };
  for (const status of [400, 429, 503]) {
    const fault = { kind: 'answer', status, reason: '(html)' } as const;
    network.expo.faults.schedule({ times: 1, match, fault });
  }
  await pass(network, RECEIPTS_MS);
  for (let minutes = 0; minutes < 3; minutes += 1) await pass(network, MINUTE_MS);
  assert.equal(questions(network), 4);
  assert.deepEqual(await fateOf(network, id), {
    accepted: 0,
    reasons: { failed: { payload: 1 } },
  });
});

test('receipts are asked for after the workers died that sent, or that had asked', async () => {
  // Time runs on for the other process, so it does for this one.
  await using network = await startStill({ processes: 2, clock: createTestClock() });
  const phones = 40;
  for (let index = 0; index < phones; index += 1) {
    await phoneOf(network, `user-${index}`, expoToken('ExponentPushToken[sim-receipt-developer:'));
  }
  const users = Array.from({ length: phones }, (_, index) => `user-${index}`);
  const id = await network.backEnd.sendToUsers(users);
  await network.drain();
  await network.servers[0]?.kill();
  // What a worker leaves behind that was killed while it asked, once its lease has run out.
  await network.homing.db`
    update ticket set attempt = attempt + 1, lease_until = now() - interval '1 second'`;
  await network.clock.advance(RECEIPTS_MS + MINUTE_MS);
  await network.homing.dispatcher?.drain();
  assert.equal(await countTickets(network.homing.db), 0);
  const report = await network.backEndAt(() => network.url).report(id);
  assertConserved(report);
  assert.deepEqual(report['reasons'], { failed: { payload: phones } });
});

test('a worker whose lease ran out while it asked changes nothing any more', async () => {
  await using network = await startStill();
  await phoneOf(network, 'sara', expoToken('ExponentPushToken[sim-receipt-developer:'));
  const id = await send(network);
  using hold = network.expo.faults.hold({ path: EXPO_RECEIPTS_PATH });
  await network.clock.advance(RECEIPTS_MS);
  const draining = network.drain();
  await hold.arrived();
  // Another one has taken the ticket over meanwhile.
  await network.homing.db`
    update ticket set attempt = attempt + 1, lease_until = now() + interval '1 minute'`;
  hold.release();
  await draining;
  assert.deepEqual(await fateOf(network, id), { accepted: 1, reasons: {} });
  assert.equal(await countTickets(network.homing.db), 1);
});
