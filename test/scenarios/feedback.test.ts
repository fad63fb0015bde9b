import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '@homing/server';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { createFrozenClock } from '../clock.ts';
import { apnsToken, fcmToken, type Device } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import { startNetwork, type Network } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

type Token = ReturnType<typeof apnsToken> | ReturnType<typeof fcmToken>;

/**
 * A network whose time moves only when a test says so, with retries half their delay away: none
 * comes due in the `drain()` that its first attempt is seen in, however slow the machine is.
 */
function startStill(): Promise<Network> {
  return startNetwork({ clock: createFrozenClock(), overrides: { random: () => 0.5 } });
}

async function phoneOfSara(network: Network, token: Token): Promise<Device> {
  const phone = network.device();
  assertAnswered(await phone.register(token, 'sara'), 201);
  return phone;
}

async function statusOf(network: Network, phone: Device): Promise<unknown> {
  return (await network.backEnd.installation(phone.id))['status'];
}

/** Sends to Sara, drains, and reads the report. */
async function sendToSara(network: Network, more: Readonly<Record<string, unknown>> = {}) {
  const id = await network.backEnd.sendToUsers(['sara'], { title: 'Hello' }, more);
  await network.drain();
  return { id, report: () => checkedReport(network, id) };
}

async function checkedReport(network: Network, id: string) {
  const report = await network.backEnd.report(id);
  assertConserved(report);
  return report;
}

/** Moves the time on and lets the work that became due run. */
async function after(network: Network, ms: number): Promise<void> {
  network.clock.advance(ms);
  await network.drain();
}

test('a 410 that is older than the last registration keeps the token', async () => {
  await using network = await startNetwork();
  const token = apnsToken();
  const phone = await phoneOfSara(network, token);
  const atMs = network.clock.now().getTime() - HOUR_MS;
  network.apns.devices.set(token.value, { kind: 'unregistered', atMs });

  const { report } = await sendToSara(network);

  assert.deepEqual((await report())['reasons'], { failed: { token_dead: 1 } });
  assert.equal(await statusOf(network, phone), 'active');
});

test('a 410 that is newer than the last registration retires that token and no other', async () => {
  await using network = await startNetwork();
  const [gone, kept] = [apnsToken(), apnsToken()];
  const [lostPhone, phone] = [await phoneOfSara(network, gone), await phoneOfSara(network, kept)];
  network.clock.advance(LIMITS.checkInMs + MINUTE_MS);
  const atMs = network.clock.now().getTime();
  network.apns.devices.set(gone.value, { kind: 'unregistered', atMs });

  const { report } = await sendToSara(network);

  assert.equal((await report())['counts']?.['accepted'], 1);
  assert.equal(await statusOf(network, lostPhone), 'retired');
  assert.equal(await statusOf(network, phone), 'active');
  const { token } = await network.backEnd.installation(lostPhone.id);
  assert.equal(token?.['status_code'], 'Unregistered');
  // No provider is asked again about a token that it has given up.
  const again = () => network.backEnd.sendToUsers(['sara']);
  assert.deepEqual(await tokensReached(network, again), tokens(kept));
  assert.equal(network.journal.entries({ token: gone.value }).length, 1);
});

test('a phone whose token was retired is reached again with its next token', async () => {
  await using network = await startNetwork();
  const [gone, fresh] = [fcmToken(), fcmToken()];
  const phone = await phoneOfSara(network, gone);
  network.fcm.devices.set(gone.value, { kind: 'unregistered' });
  await sendToSara(network);
  assert.equal(await statusOf(network, phone), 'retired');

  // What the dead token did not take follows; and so does what comes later.
  const refresh = async () => assertAnswered(await phone.sync({ token: fresh }), 200);
  assert.deepEqual(await tokensReached(network, refresh), tokens(fresh));
  const send = () => network.backEnd.sendToUsers(['sara']);
  assert.deepEqual(await tokensReached(network, send), tokens(fresh));
});

test('a payload that FCM does not take says nothing about the token', async () => {
  await using network = await startNetwork();
  const phone = await phoneOfSara(network, fcmToken());
  // FCM knows no such field; nothing on our side looks that deep into an override.
  const overrides = { fcm: { android: { notification: { loudness: 11 } } } };

  const { report } = await sendToSara(network, { overrides });

  assert.deepEqual((await report())['reasons'], { failed: { payload: 1 } });
  assert.equal(network.journal.counters.byAnswer['400 INVALID_ARGUMENT'], 1);
  assert.equal(await statusOf(network, phone), 'active');
  const next = await sendToSara(network);
  assert.equal((await next.report())['counts']?.['accepted'], 1);
});

for (const [kind, code] of [
  ['other_environment', 'BadDeviceToken'],
  ['other_topic', 'DeviceTokenNotForTopic'],
] as const) {
  test(`${code} puts the token aside until the phone checks in, and never retires it`, async () => {
    await using network = await startNetwork();
    const token = apnsToken();
    const phone = await phoneOfSara(network, token);
    network.apns.devices.set(token.value, { kind });
    // Whether it lives in the other environment is not answered for now.
    network.sandbox.devices.set(token.value, { kind: 'throttled' });

    const { report } = await sendToSara(network);
    assert.deepEqual((await report())['reasons'], { failed: { token_mismatch: 1 } });
    assert.equal(await statusOf(network, phone), 'quarantined');
    const skipped = await sendToSara(network);
    assert.deepEqual((await skipped.report())['reasons'], { skipped: { quarantined: 1 } });

    const shown = fingerprint(token);
    assert.deepEqual((await network.backEnd.timeline(phone.id)).slice(3), [
      `Token ${shown} was put aside until the device confirms it: ${code}.`,
      `Refused by APNs: the token belongs to another environment, topic or project (${code}).`,
      'Not sent: the token was put aside until the device confirms it.',
    ]);

    network.apns.devices.set(token.value, { kind: 'live' });
    const checkIn = async () => assertAnswered(await phone.sync({ token }), 200);
    // What was refused is offered again; what was skipped is not.
    assert.deepEqual(await tokensReached(network, checkIn), tokens(token));
    assert.equal(await statusOf(network, phone), 'active');
    assert.equal((await report())['counts']?.['accepted'], 1);
    const send = () => network.backEnd.sendToUsers(['sara']);
    assert.deepEqual(await tokensReached(network, send), tokens(token));
  });
}

test('a refused credential touches no token, and its work goes out once it serves', async () => {
  await using network = await startNetwork();
  const [appleToken, googleToken] = [apnsToken(), fcmToken()];
  const phone = await phoneOfSara(network, appleToken);
  await phoneOfSara(network, googleToken);
  const fault = { kind: 'answer', status: 403, reason: 'InvalidProviderToken' } as const;
  network.apns.faults.schedule({ times: Infinity, fault });

  const { report } = await sendToSara(network);
  // The other provider's lane does not notice.
  assert.equal((await report())['counts']?.['accepted'], 1);
  assert.equal((await report())['counts']?.['pending'], 1);
  assert.equal(await statusOf(network, phone), 'active');
  const refusals = network.journal.entries({ token: appleToken.value }).length;
  await network.drain();
  assert.equal(network.journal.entries({ token: appleToken.value }).length, refusals);

  network.apns.faults.clear();
  await after(network, 2 * MINUTE_MS);
  assert.equal((await report())['counts']?.['accepted'], 2);
  const timeline = await network.backEnd.timeline(phone.id);
  assert.deepEqual(timeline.slice(3), ['Accepted by APNs.']);
});

test('a push that met a 503 is repeated from the table and arrives once', async () => {
  await using network = await startNetwork();
  const token = apnsToken();
  const phone = await phoneOfSara(network, token);
  const fault = { kind: 'answer', status: 503, reason: 'ServiceUnavailable' } as const;
  network.apns.faults.schedule({ times: 1, fault });

  const { id, report } = await sendToSara(network);
  await after(network, MINUTE_MS);

  assert.equal((await report())['counts']?.['accepted'], 1);
  // A server in trouble may have passed the push on before it said so.
  assert.equal((await report())['possible_duplicates'], 1);
  const [delivery, ...others] = await network.backEnd.deliveries(id);
  assert.deepEqual([delivery?.['state'], delivery?.['attempts']], ['accepted', 2]);
  assert.equal(others.length, 0);
  assert.equal(network.apns.devices.view(token.value).shown.length, 1);
  assert.equal(await statusOf(network, phone), 'active');
});

test('a 429 with Retry-After is repeated after that time and not before', async () => {
  await using network = await startStill();
  const token = fcmToken();
  await phoneOfSara(network, token);
  network.fcm.devices.set(token.value, { kind: 'quota', retryAfterSeconds: 300 });
  const { report } = await sendToSara(network);
  network.fcm.devices.set(token.value, { kind: 'live' });

  await after(network, 290 * SECOND_MS);
  // It concerns the whole project: its lane waits, and no attempt is burnt.
  assert.equal((await report())['counts']?.['pending'], 1);
  assert.equal(network.journal.entries({ token: token.value }).length, 1);

  // Workers do not come back all at once: a tenth more at most.
  await after(network, 41 * SECOND_MS);
  assert.equal((await report())['counts']?.['accepted'], 1);
  assert.equal(network.journal.entries({ token: token.value }).length, 2);
});

test('a push that was read and never answered is repeated under its id, and counted', async () => {
  await using network = await startStill();
  const token = apnsToken();
  await phoneOfSara(network, token);
  network.apns.faults.schedule({ times: 1, fault: { kind: 'accept_then_reset' } });

  const { id, report } = await sendToSara(network);
  assert.deepEqual((await report())['reasons'], { retrying: { unknown: 1 } });
  await after(network, MINUTE_MS);

  const entries = network.journal.entries({ token: token.value });
  assert.deepEqual(
    entries.map((entry) => entry.accepted),
    [true, true],
  );
  assert.equal(entries[0]?.headers['apns-id'], entries[1]?.headers['apns-id']);
  assert.equal((await report())['counts']?.['accepted'], 1);
  assert.equal((await report())['possible_duplicates'], 1);
  const [delivery] = await network.backEnd.deliveries(id);
  assert.equal(delivery?.['possible_duplicate'], true);
  // The collapse id is the same as well, so that the second one replaces the first on the screen.
  assert.equal(network.apns.devices.view(token.value).shown.length, 1);
});

test('a notification whose time runs out while the provider is down ends as expired', async () => {
  await using network = await startStill();
  const token = apnsToken();
  await phoneOfSara(network, token);
  const fault = { kind: 'answer', status: 503, reason: 'ServiceUnavailable' } as const;
  network.apns.faults.schedule({ times: Infinity, fault });
  const { id, report } = await sendToSara(network, { options: { ttl_seconds: 600 } });
  assert.equal((await report())['counts']?.['retrying'], 1);

  network.apns.faults.clear();
  await after(network, 11 * MINUTE_MS);

  assert.equal((await report())['counts']?.['expired'], 1);
  assert.equal((await report())['status'], 'finished');
  assert.equal(network.apns.devices.view(token.value).shown.length, 0);
  const [delivery] = await network.backEnd.deliveries(id);
  assert.equal(delivery?.['state'], 'expired');
});

test('a cancelled notification is not tried again and ends as skipped', async () => {
  await using network = await startStill();
  const token = apnsToken();
  await phoneOfSara(network, token);
  const fault = { kind: 'answer', status: 503, reason: 'ServiceUnavailable' } as const;
  network.apns.faults.schedule({ times: 1, fault });
  const { id, report } = await sendToSara(network);

  const cancelled = await network.backEnd.request('POST', `/v1/notifications/${id}/cancel`);
  assertAnswered(cancelled, 200);
  await after(network, MINUTE_MS);

  assert.deepEqual((await report())['reasons'], { skipped: { cancelled: 1 } });
  assert.equal((await report())['status'], 'cancelled');
  assert.equal(network.journal.entries({ token: token.value }).length, 1);
});
