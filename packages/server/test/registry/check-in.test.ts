import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LIMITS } from '@homing/server';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { textOf } from '../http/text-of.ts';
import { WebPushUserAgent } from '../providers/web-push-user-agent.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { db } = network.homing;

/** Changes with every write of the row, also with one that changes nothing. */
async function rowVersion(phone: Device): Promise<string> {
  const [row] = await db<{ version: string }[]>`
    select xmin::text || '/' || ctid::text as version from installation where id = ${phone.id}`;
  return row?.version ?? '';
}

async function eventCount(phone: Device): Promise<number> {
  return (await network.backEnd.timeline(phone.id)).length;
}

async function enrolled(): Promise<{ phone: Device; checkIn: () => ReturnType<Device['sync']> }> {
  const phone = network.device();
  const packet = {
    seq: 7,
    token: fcmToken(),
    user: { id: 'anna', assertion: await phone.assertion('anna') },
    device: { label: 'iPhone', app_version: '1.0' },
  };
  assertAnswered(await phone.sync(packet), 201);
  return { phone, checkIn: () => phone.sync(packet) };
}

async function setStatus(phone: Device, status: string): Promise<void> {
  await db`
    update installation set token_status = ${status}, token_status_code = 'Unregistered',
      token_status_at = ${network.clock.now()}
    where id = ${phone.id}`;
}

test('an unchanged check-in writes no row, however often it comes', async () => {
  const { phone, checkIn } = await enrolled();
  const [version, events] = [await rowVersion(phone), await eventCount(phone)];
  for (let visit = 0; visit < 20; visit += 1) assertAnswered(await checkIn(), 200);
  network.clock.advance(LIMITS.checkInMs - 60_000);
  assertAnswered(await checkIn(), 200);
  assert.equal(await rowVersion(phone), version);
  assert.equal(await eventCount(phone), events);
});

test('after the interval a check-in is written, once', async () => {
  const { phone, checkIn } = await enrolled();
  const version = await rowVersion(phone);
  const before = await network.backEnd.installation(phone.id);
  network.clock.advance(LIMITS.checkInMs + 1_000);
  assertAnswered(await checkIn(), 200);
  const written = await rowVersion(phone);
  assert.notEqual(written, version);
  const later = await network.backEnd.installation(phone.id);
  assert.ok(textOf(later['last_seen_at']) > textOf(before['last_seen_at']));
  assertAnswered(await checkIn(), 200);
  assert.equal(await rowVersion(phone), written);
});

test('a check-in does not confirm a token more often than it is written', async () => {
  const { phone, checkIn } = await enrolled();
  const confirmedAt = async () =>
    (await network.backEnd.installation(phone.id))['token']?.['confirmed_at'];
  const first = await confirmedAt();
  assertAnswered(await checkIn(), 200);
  assert.equal(await confirmedAt(), first);
});

test('a higher sequence is written also with equal content', async () => {
  const phone = network.device();
  const token = fcmToken();
  assertAnswered(await phone.sync({ seq: 1, token }), 201);
  const version = await rowVersion(phone);
  assertAnswered(await phone.sync({ seq: 2, token }), 200);
  assert.notEqual(await rowVersion(phone), version);
});

for (const status of ['quarantined', 'retired']) {
  test(`a check-in restores a ${status} token at once, with an event`, async () => {
    const { phone, checkIn } = await enrolled();
    await setStatus(phone, status);
    const answer = await checkIn();
    assertAnswered(answer, 200);
    const token = answer.body['installation']?.['token'];
    assert.equal(token?.['status'], 'live');
    assert.equal(token?.['status_code'], null);
    const lines = await network.backEnd.timeline(phone.id);
    assert.match(lines.at(-1) ?? '', /was confirmed by the device and is in use again/);
    assert.equal(answer.body['installation']?.['user']?.['id'], 'anna');
  });
}

test('a browser that renews the keys of the same endpoint is sent to with the new ones', async () => {
  const browser = network.device();
  const endpoint = `https://updates.push.services.mozilla.com/wpush/v2/${browser.id}`;
  const [former, renewed] = [new WebPushUserAgent().keys, new WebPushUserAgent().keys];
  const subscription = (keys: typeof former) => ({ provider: 'webpush', endpoint, keys });
  assertAnswered(await browser.sync({ token: subscription(former) }), 201);
  assertAnswered(await browser.sync({ token: subscription(renewed) }), 200);
  const [row] = await db<{ p256dh: string; auth: string }[]>`
    select web_push_p256dh as p256dh, web_push_auth as auth from installation
    where id = ${browser.id}`;
  assert.deepEqual({ ...row }, renewed);
});

test('a retired token that somebody else holds by now is not restored', async () => {
  const phone = network.device();
  const packet = { seq: 1, token: fcmToken() };
  assertAnswered(await phone.sync(packet), 201);
  await setStatus(phone, 'retired');
  const other = network.device();
  assertAnswered(await other.sync(packet), 201);
  assertProblem(await phone.sync(packet), 'token_held');
  const [first, second] = [
    await network.backEnd.installation(phone.id),
    await network.backEnd.installation(other.id),
  ];
  assert.equal(first['token']?.['status'], 'retired');
  assert.equal(second['token']?.['status'], 'live');
});

/** Claims a token that somebody else holds, by the nonce of the refusal. */
async function takeOver(phone: Device, packet: Readonly<Record<string, unknown>>) {
  const held = await phone.sync(packet);
  assertProblem(held, 'token_held');
  return phone.sync({ ...packet, takeover: textOf(held.body['nonce']) });
}

test('a check-in whose token went elsewhere is told so, writes nothing, and counts up to claim it', async () => {
  const [phone, other, third] = [network.device(), network.device(), network.device()];
  const packet = { seq: phone.nextSeq(), token: fcmToken(), device: { label: 'Pixel' } };
  assertAnswered(await phone.sync(packet), 201);
  const claim = { seq: other.nextSeq(), token: packet.token };
  assertAnswered(await takeOver(other, claim), 201);
  assert.deepEqual((await other.sync(claim)).body['applied'], { token: true });
  const version = await rowVersion(phone);
  const answer = await phone.sync(packet);
  assertAnswered(answer, 200);
  assert.deepEqual(answer.body['applied'], { token: false, device: true });
  assert.deepEqual(answer.body['reason'], { token: 'moved' });
  assert.equal(answer.body['installation']?.['token'], null);
  assert.equal(await rowVersion(phone), version);
  // A back end's word may have put another token in its place.
  const path = `/v1/installations/${other.id}`;
  assertAnswered(await network.backEnd.request('PUT', path, { token: fcmToken() }), 200);
  assert.deepEqual((await other.sync(claim)).body['reason'], { token: 'moved' });
  assertAnswered(await third.register(packet.token), 201);
  const again = await takeOver(phone, { seq: phone.nextSeq(), token: packet.token });
  assert.deepEqual(again.body['applied'], { token: true });
  assert.deepEqual(again.body['reason'], {});
});

test('a check-in without a token is not told of any', async () => {
  const phone = network.device();
  const packet = { seq: phone.nextSeq(), token: null };
  assertAnswered(await phone.sync(packet), 201);
  const answer = await phone.sync(packet);
  assert.deepEqual([answer.body['applied'], answer.body['reason']], [{ token: true }, {}]);
});

test('a dormant installation returns with its check-in', async () => {
  const { phone, checkIn } = await enrolled();
  await db`update installation set dormant_since = now() where id = ${phone.id}`;
  assert.equal((await network.backEnd.installation(phone.id))['status'], 'dormant');
  const answer = await checkIn();
  assert.equal(answer.body['installation']?.['status'], 'active');
  const lines = await network.backEnd.timeline(phone.id);
  assert.ok(lines.some((line) => line.includes('checked in again')));
});
