import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import type { AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken } from '../../../../test/device.ts';
import { PROJECT, startNetwork, TOPIC } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';
import { SimpleClient } from './simple-client.ts';
import { textOf } from './text-of.ts';

/** The client of the articles, word for word, against an app whose identity checks are off. */
const network = await startNetwork({ role: 'api', identity: 'off' });
after(() => network[Symbol.asyncDispose]());
const client = new SimpleClient(network.url, network.app);
let devices = 0;

function packet(members: Readonly<Record<string, unknown>> = {}) {
  devices += 1;
  const deviceId = `device-${devices}`;
  return { token: fcmToken().value, userId: '42', platform: 'android', deviceId, ...members };
}

async function stored(deviceId: string): Promise<AnswerBody> {
  return network.backEnd.installation(client.installationId(deviceId));
}

async function userOf(deviceId: string): Promise<unknown> {
  return (await stored(deviceId))['user']?.['id'] ?? null;
}

async function devicesOf(token: string): Promise<readonly unknown[]> {
  const answer = await network.backEnd.get(`/v1/installations?token=${token}`);
  assertAnswered(answer, 200);
  return (answer.body['data'] as unknown as readonly AnswerBody[]).map((row) => row['id']);
}

test('a registration is answered with exactly {"success":true} and is in the registry', async () => {
  const body = packet({ appVersion: '1.4.2', timestamp: Date.now(), bundle: { any: ['thing'] } });
  const response = await fetch(`${network.url}/register-token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), '{"success":true}');
  const installation = await stored(body.deviceId);
  assert.equal(installation['user']?.['id'], '42');
  assert.equal(installation['token']?.['provider'], 'fcm');
  assert.equal(installation['device']?.['platform'], 'android');
  assert.equal(installation['device']?.['app_version'], '1.4.2');
  assert.equal(installation['status'], 'active');
});

test('a userId is a text, a number in decimal form, or nobody', async () => {
  for (const [userId, expected] of [
    ['anna', 'anna'],
    [42, '42'],
    [-7, '-7'],
    [Number.MAX_SAFE_INTEGER, '9007199254740991'],
    [null, null],
    [undefined, null],
    ['  anna ', '  anna '],
  ] as const) {
    const body = packet({ userId });
    assertAnswered(await client.register(body), 200);
    assert.equal(await userOf(body.deviceId), expected);
  }
});

test('what a registration leaves out stays, null signs out', async () => {
  const body = packet();
  assertAnswered(await client.register(body), 200);
  assertAnswered(await client.register({ ...body, userId: undefined }), 200);
  assert.equal(await userOf(body.deviceId), '42');
  assertAnswered(await client.register({ ...body, userId: null }), 200);
  assert.equal(await userOf(body.deviceId), null);
});

test('arrival order counts: the last switch wins, whatever the timestamps say', async () => {
  const body = packet({ userId: 'anna', timestamp: 2_000_000_000_000 });
  assertAnswered(await client.register(body), 200);
  assertAnswered(await client.register({ ...body, userId: 'ben', timestamp: 1 }), 200);
  assert.equal(await userOf(body.deviceId), 'ben');
});

test('a timestamp may be any number', async () => {
  const odd = [0, -1, 1.5, 1e300, -1e300, 8.64e15, -8.64e15, -62_135_596_800_001, 2 ** 53];
  for (const timestamp of odd) {
    assertAnswered(await client.register(packet({ timestamp })), 200);
  }
});

test('the provider follows from the shape of the token, never from the platform', async () => {
  const hex = randomBytes(32).toString('hex');
  const cases = [
    [{ token: `0a${hex.slice(2)}`, platform: 'ios' }, 'apns'],
    [{ token: `0b${hex.slice(2)}`.toUpperCase(), platform: 'ios' }, 'apns'],
    [{ token: `<0c${hex.slice(2, 8)} ${hex.slice(8)}>` }, 'apns'],
    [{ token: `0d${randomBytes(79).toString('hex')}` }, 'apns'],
    [{ token: fcmToken().value, platform: 'ios' }, 'fcm'],
    [{ token: fcmToken().value, platform: 'android' }, 'fcm'],
    [{ token: randomBytes(31).toString('hex') }, 'fcm'],
    [{ token: 'ExponentPushToken[abc123_-]', platform: 'ios' }, 'expo'],
    [{ token: 'ExpoPushToken[abc123]' }, 'expo'],
    [{ token: randomBytes(48).toString('hex'), provider: 'fcm' }, 'fcm'],
    [{ token: randomBytes(32).toString('base64url'), provider: 'hms' }, 'hms'],
  ] as const;
  for (const [members, provider] of cases) {
    const body = packet(members);
    assertAnswered(await client.register(body), 200);
    const token = (await stored(body.deviceId))['token'];
    assert.equal(token?.['provider'], provider, JSON.stringify(members));
    if (provider === 'apns') assert.equal(token?.['topic'], TOPIC);
    if (provider === 'apns') assert.equal(token?.['environment'], 'production');
    if (provider === 'fcm') assert.equal(token?.['project'], PROJECT);
  }
});

test('a deviceId that is a promise is answered with the line to change', async () => {
  for (const deviceId of [{}, { _h: 0, _i: 0, _j: null }, []]) {
    const answer = await client.register(packet({ deviceId }));
    assertProblem(answer, 'validation_failed', '/deviceId');
    assert.match(textOf(answer.body['detail']), /await getUniqueId\(\)/);
    assert.equal(answer.body['error'], answer.body['title']);
  }
});

test('any text is a deviceId, and two texts are two devices', async () => {
  const ids = ['x', '../../etc/passwd', 'Zoë ☂', 'x'.repeat(255), 'A1B2', 'a1b2', "'; drop table"];
  for (const deviceId of ids) {
    assertAnswered(await client.register(packet({ deviceId, userId: `of ${deviceId[0]}` })), 200);
  }
  assert.equal(new Set(ids.map((id) => client.installationId(id))).size, ids.length);
  assert.equal(await userOf('A1B2'), 'of A');
  assert.equal(await userOf('a1b2'), 'of a');
});

test('delete-token signs out, keeps device and token, and answers alike ever after', async () => {
  const body = packet();
  assertAnswered(await client.register(body), 200);
  for (let repetition = 0; repetition < 2; repetition += 1) {
    const answer = await client.delete(body.token);
    assertAnswered(answer, 200);
    assert.deepEqual(answer.body, { success: true });
    const installation = await stored(body.deviceId);
    assert.equal(installation['user'], null);
    assert.equal(installation['token']?.['status'], 'live');
  }
  for (const unknown of [fcmToken().value, 'undefined', 'x', '\\', '{"a":1}']) {
    assert.deepEqual((await client.delete(unknown)).body, { success: true });
  }
});

test('delete-token finds a token in whatever form it was printed', async () => {
  const hex = `0e${randomBytes(31).toString('hex')}`;
  const body = packet({ token: hex });
  assertAnswered(await client.register(body), 200);
  assertAnswered(await client.delete(`<${hex.toUpperCase()}>`), 200);
  assert.equal(await userOf(body.deviceId), null);
});

test('a back end finds the device of a token, and nothing for another token', async () => {
  const body = packet();
  assertAnswered(await client.register(body), 200);
  assert.deepEqual(await devicesOf(body.token), [client.installationId(body.deviceId)]);
  assert.deepEqual(await devicesOf(fcmToken().value), []);
});

test('a token that comes with another device moves there', async () => {
  const before = packet({ userId: 'anna' });
  const later = packet({ userId: 'ben', token: before.token });
  assertAnswered(await client.register(before), 200);
  assertAnswered(await client.register(later), 200);
  assert.equal((await stored(before.deviceId))['token'], null);
  assert.equal(await userOf(later.deviceId), 'ben');
});

test('no route here reaches an installation that has a secret', async () => {
  const body = packet();
  const phone = network.device();
  const token = fcmToken();
  const id = client.installationId(body.deviceId);
  await network.homing.db`select 1`;
  assertAnswered(await phone.register(token, 'anna'), 201);
  await network.homing.db`update installation set id = ${id} where id = ${phone.id}`;
  const before = await network.backEnd.installation(id);
  assertProblem(await client.register(body), 'not_found');
  assert.deepEqual((await client.delete(token.value)).body, { success: true });
  assert.deepEqual(await network.backEnd.installation(id), before);
});

test('with a second app on the server nobody is taken at their word', async () => {
  await network.provision({ name: 'Second', identity: 'off' });
  const answer = await client.register(packet());
  assertProblem(answer, 'invalid_credentials');
  assert.equal(answer.body['error'], answer.body['title']);
  assertProblem(await client.delete('x'), 'invalid_credentials');
  assertAnswered(await client.register(packet(), network.app.secretKey), 200);
});
