import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken, type Device } from '../../../../test/device.ts';
import { fingerprint } from '../../../../test/fingerprint.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';

/** Rule R2: within an installation the sequence orders each group of fields, not the arrival. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());

async function user(phone: Device, id: string) {
  return { id, assertion: await phone.assertion(id) };
}

function applied(answer: Answer): unknown {
  assertAnswered(answer, answer.status === 201 ? 201 : 200);
  return answer.body['applied'];
}

async function read(phone: Device) {
  const body = await network.backEnd.installation(phone.id);
  const { token, seq } = body;
  return { token: token?.['masked'] ?? null, user: body['user']?.['id'] ?? null, seq, body };
}

test('each group keeps its own sequence and supersedes on its own', async () => {
  const phone = network.device();
  const [first, second] = [fcmToken(), fcmToken()];
  assertAnswered(
    await phone.sync({
      seq: 5,
      token: first,
      user: await user(phone, 'anna'),
      device: { label: 'a' },
    }),
    201,
  );
  assert.deepEqual(applied(await phone.sync({ seq: 9, user: null })), { user: true });
  const mixed = await phone.sync({
    seq: 7,
    token: second,
    user: await user(phone, 'ben'),
    device: { label: 'b' },
  });
  assert.deepEqual(applied(mixed), { token: true, user: false, device: true });
  assert.deepEqual(mixed.body['reason'], { user: 'superseded' });
  assert.deepEqual(mixed.body['seq'], {
    token: 7,
    user: 9,
    device: 7,
    preferences: null,
    topics: null,
  });
  const state = await read(phone);
  assert.equal(state.token, fingerprint(second));
  assert.equal(state.user, null);
  assert.deepEqual(applied(await phone.sync({ seq: 6, token: first })), { token: false });
  assert.equal((await read(phone)).token, fingerprint(second));
});

test('a late packet changes nothing, whatever it carries: good, forged or taken', async () => {
  const [phone, other] = [network.device(), network.device()];
  const taken = fcmToken();
  assertAnswered(await other.register(taken, 'ben'), 201);
  assertAnswered(
    await phone.sync({ seq: 20, token: apnsToken(), user: await user(phone, 'anna') }),
    201,
  );
  const before = await read(phone);
  for (const late of [
    { seq: 19, user: null },
    { seq: 3, user: await user(phone, 'ben') },
    { seq: 18, user: { id: 'ben', assertion: 'forged' } },
    { seq: 18, user: { id: 'ben' } },
    { seq: 1, token: null },
    { seq: 0, token: taken },
    { seq: 19, token: fcmToken(), user: null },
  ]) {
    const answer = await phone.sync(late);
    assertAnswered(answer, 200);
    assert.ok(Object.values(answer.body['applied'] as object).every((one) => one === false));
    const { body: _, ...state } = await read(phone);
    assert.deepEqual(state, { token: before.token, user: before.user, seq: before.seq });
  }
});

test('the same packet again gets the same answer, with whatever assertion', async () => {
  const phone = network.device();
  const packet = { seq: 4, token: fcmToken(), device: { label: 'x' }, tags: { a: '1' } };
  const first = await phone.sync({ ...packet, user: await user(phone, 'anna') });
  assertAnswered(first, 201);
  for (const assertion of [await phone.assertion('anna'), 'expired long ago', '']) {
    const again = await phone.sync({ ...packet, user: { id: 'anna', assertion } });
    assertAnswered(again, 200);
    assert.deepEqual(again.body, first.body);
  }
  const withoutProof = await phone.sync({ ...packet, user: { id: 'anna' } });
  assert.deepEqual(withoutProof.body, first.body);
});

test('key order does not make another packet', async () => {
  const phone = network.device();
  assertAnswered(await phone.sync({ seq: 1, device: { label: 'x', model: 'y' } }), 201);
  assertAnswered(await phone.sync({ seq: 1, device: { model: 'y', label: 'x' } }), 200);
});

test('the same sequence with other content is a fork: refused whole, and told', async () => {
  const phone = network.device();
  const token = fcmToken();
  assertAnswered(
    await phone.sync({ seq: 4, token, user: await user(phone, 'anna'), device: { label: 'x' } }),
    201,
  );
  const before = await read(phone);
  for (const forked of [
    { token: fcmToken() },
    { token: null },
    { user: await user(phone, 'ben') },
    { user: null },
    { device: { label: 'y' } },
    { device: { label: 'x' }, permission: 'granted' },
    // One forked group refuses the others, new as they are.
    { token, device: { label: 'y' } },
  ]) {
    assertProblem(await phone.sync({ seq: 4, ...forked }), 'installation_forked');
    assert.deepEqual((await read(phone)).body, before.body);
  }
  const lines = await network.backEnd.timeline(phone.id);
  // One sequence is told of once, however often a copy repeats it.
  assert.equal(lines.filter((line) => line.startsWith('Two copies')).length, 1);
});

test('a first packet may carry any sequence from 0 to 2^48', async () => {
  for (const seq of [0, 1, 2 ** 48]) {
    const phone = network.device();
    assertAnswered(await phone.sync({ seq, token: fcmToken() }), 201);
    assert.equal((await read(phone)).seq?.['token'], seq);
  }
});

test('null clears and what is left out stays', async () => {
  const phone = network.device();
  const device = { platform: 'ios', label: 'iPhone', model: 'iPhone15,2', app_version: '1.0' };
  const more = { permission: 'granted', tags: { plan: 'pro' }, device_tags: { beta: 'yes' } };
  assertAnswered(await phone.sync({ token: fcmToken(), device, ...more }), 201);
  assertAnswered(await phone.sync({ device: { label: null, os_version: '18.1' } }), 200);
  const patched = (await read(phone)).body;
  assert.deepEqual(
    { ...patched['device'] },
    {
      platform: 'ios',
      vendor_id: null,
      label: null,
      model: 'iPhone15,2',
      os_version: '18.1',
      app_version: '1.0',
      sdk_version: null,
      locale: null,
      time_zone: null,
    },
  );
  assert.equal(patched['permission'], 'granted');
  assert.deepEqual(patched['tags'], { plan: 'pro' });
  assert.deepEqual(patched['device_tags'], { beta: 'yes' });
  assert.notEqual(patched['token'], null);
  assertAnswered(
    await phone.sync({ token: null, permission: null, tags: null, device_tags: null }),
    200,
  );
  const cleared = (await read(phone)).body;
  assert.equal(cleared['token'], null);
  assert.equal(cleared['permission'], null);
  assert.deepEqual(cleared['tags'], {});
  assert.deepEqual(cleared['device_tags'], {});
  assert.equal(cleared['device']?.['model'], 'iPhone15,2');
});

test('tags are sent whole: a new set replaces the old one', async () => {
  const phone = network.device();
  assertAnswered(await phone.sync({ tags: { a: '1', b: '2' } }), 201);
  assertAnswered(await phone.sync({ tags: { b: '3' } }), 200);
  assert.deepEqual((await read(phone)).body['tags'], { b: '3' });
});

test('an empty packet is a sign of life and nothing else', async () => {
  const phone = network.device();
  const answer = await phone.sync({});
  assertAnswered(answer, 201);
  assert.deepEqual(answer.body['applied'], {});
});

test('S12 two hundred packets in any order, a fifth of them twice, end at the highest sequence', async () => {
  const phone = network.device();
  const users = ['anna', 'ben'];
  assertAnswered(await phone.sync({ seq: 0 }), 201);
  const packets = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => ({
      seq: index + 1,
      ...(index % 3 !== 1 && { token: fcmToken() }),
      ...(index % 3 !== 2 && { user: await user(phone, users[index % 2] ?? '') }),
      device: { label: `label ${index}` },
    })),
  );
  const arrivals = [...packets, ...packets.filter((_, index) => index % 5 === 0)]
    .map((packet, index) => ({ packet, at: (index * 7919) % 241 }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ packet }) => packet);
  const answers = await Promise.all(arrivals.map((packet) => phone.sync(packet)));
  for (const answer of answers) assertAnswered(answer, 200);
  const state = await read(phone);
  const [lastToken] = packets.filter((packet) => packet.token !== undefined).slice(-1);
  const [lastUser] = packets.filter((packet) => packet.user !== undefined).slice(-1);
  assert.equal(state.token, fingerprint({ value: String(lastToken?.token?.value) }));
  assert.equal(state.user, lastUser?.user?.id);
  assert.deepEqual(
    { token: state.seq?.['token'], user: state.seq?.['user'], device: state.seq?.['device'] },
    { token: lastToken?.seq, user: lastUser?.seq, device: 200 },
  );
});
