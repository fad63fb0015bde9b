import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { request } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';

/** Rule R5: a logout always works, and takes along what was the user's. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());

async function signedIn(seq = 5): Promise<Device> {
  const phone = network.device();
  const user = { id: 'anna', assertion: await phone.assertion('anna') };
  assertAnswered(await phone.sync({ seq, token: apnsToken(), user }), 201);
  return phone;
}

async function userOf(phone: Device): Promise<unknown> {
  return (await network.backEnd.installation(phone.id))['user']?.['id'] ?? null;
}

test('logout by DELETE and by "user": null detaches and keeps device and token', async () => {
  const ways: readonly ((phone: Device) => ReturnType<Device['request']>)[] = [
    (phone) => phone.request('DELETE', '/user?seq=6'),
    (phone) => phone.sync({ seq: 6, user: null }),
    (phone) => network.backEnd.request('DELETE', `/v1/installations/${phone.id}/user`),
    (phone) => network.backEnd.request('PUT', `/v1/installations/${phone.id}`, { user: null }),
  ];
  for (const leave of ways) {
    const phone = await signedIn();
    const before = await network.backEnd.installation(phone.id);
    const answer = await leave(phone);
    assert.ok([200, 204].includes(answer.status), JSON.stringify(answer.body));
    const later = await network.backEnd.installation(phone.id);
    assert.equal(later['user'], null);
    assert.equal(later['status'], 'signed_out');
    assert.deepEqual(later['token'], before['token']);
    assert.deepEqual(later['device'], before['device']);
    assert.equal(later['last_user']?.['id'], 'anna');
    assert.equal(later['last_user']?.['ended_by'], 'logout');
  }
});

test('logout is idempotent, and late it is answered with where the client stands', async () => {
  const phone = await signedIn();
  for (const [seq, stands] of [
    [6, '6'],
    [6, '6'],
    [7, '7'],
    [3, '7'],
  ] as const) {
    const answer = await phone.request('DELETE', `/user?seq=${seq}`);
    assertAnswered(answer, 204);
    assert.equal(answer.headers.get('homing-seq'), stands);
  }
  assert.equal(await userOf(phone), null);
});

test('a logout that comes after the next login changes nothing', async () => {
  const phone = await signedIn();
  const user = { id: 'ben', assertion: await phone.assertion('ben') };
  assertAnswered(await phone.sync({ seq: 7, user }), 200);
  const late = await phone.request('DELETE', '/user?seq=6');
  assertAnswered(late, 204);
  assert.equal(late.headers.get('homing-seq'), '7');
  assert.equal(await userOf(phone), 'ben');
});

test('the sequence of a logout is one with that of "user": null', async () => {
  const phone = await signedIn();
  assertAnswered(await phone.request('DELETE', '/user?seq=6'), 204);
  assertAnswered(await phone.sync({ seq: 6, user: null }), 200);
  const login = { id: 'anna', assertion: await phone.assertion('anna') };
  assertProblem(await phone.sync({ seq: 6, user: login }), 'installation_forked');
  const late = await phone.sync({ seq: 4, user: login });
  assert.deepEqual(late.body['reason'], { user: 'superseded' });
  assert.equal(await userOf(phone), null);
});

test('a logout with a JSON content type and no body is a logout', async () => {
  for (const headers of [
    { 'content-type': 'application/json' },
    { 'content-type': 'application/json; charset=utf-8' },
    { 'content-type': 'application/json', 'content-length': '0' },
    {},
  ]) {
    const phone = await signedIn();
    const answer = await request(`${network.url}/v1/installations/${phone.id}/user?seq=6`, {
      method: 'DELETE',
      headers: {
        authorization: `Bearer ${network.app.publishableKey}`,
        'homing-installation-secret': phone.secret,
        ...headers,
      },
    });
    assertAnswered(answer, 204);
    assert.equal(await userOf(phone), null);
  }
});

test('a logout needs no session: months later the secret alone serves', async () => {
  const phone = await signedIn();
  network.clock.advance(200 * 86_400_000);
  assertAnswered(await phone.signOut(), 204);
  assertAnswered(await phone.request('DELETE', '/user?seq=900'), 204);
  assert.equal(await userOf(phone), null);
});

test('a flood of registrations is slowed down; logout and removal never are', async (t) => {
  const phone = await signedIn(1);
  const flood = Array.from({ length: 400 }, (_, index) => index + 2);
  const statuses: number[] = [];
  for (const seq of flood) {
    const answer = await phone.sync({ seq, device: { label: `${seq}` } });
    statuses.push(answer.status);
    if (answer.status !== 429) continue;
    assertProblem(answer, 'rate_limited');
    assert.match(answer.headers.get('retry-after') ?? '', /^[1-9]\d*$/);
  }
  const slowed = statuses.filter((status) => status === 429).length;
  t.diagnostic(`${slowed} of 400 answered 429`);
  assert.ok(slowed >= 50);
  for (let repetition = 0; repetition < 50; repetition += 1) {
    assertAnswered(await phone.request('DELETE', `/user?seq=${1_000 + repetition}`), 204);
  }
  assert.equal(await userOf(phone), null);
  assertAnswered(await phone.request('DELETE', ''), 204);
});

test('what was the user’s goes with the link, what is the device’s stays', async () => {
  const phone = network.device();
  assertAnswered(
    await phone.sync({ device_tags: { beta: 'yes' }, tags: { source: 'campaign' } }),
    201,
  );
  const user = { id: 'anna', assertion: await phone.assertion('anna') };
  assertAnswered(await phone.sync({ token: fcmToken(), user, tags: { plan: 'pro' } }), 200);
  const put = (path: string, body: unknown) =>
    phone.request('PUT', `${path}?seq=${phone.nextSeq()}`, body);
  assertAnswered(await put('/topics/news', { scope: 'device' }), 200);
  assertAnswered(await put('/topics/orders', { scope: 'user', user_id: 'anna' }), 200);
  assertAnswered(await put('/preferences', { categories: { offers: false } }), 200);
  assertAnswered(await put('/purpose-tokens/voip', { value: apnsToken().value }), 200);
  assertAnswered(await phone.signOut(), 204);
  const later = await network.backEnd.installation(phone.id);
  assert.deepEqual(later['tags'], {});
  assert.deepEqual(later['device_tags'], { beta: 'yes' });
  assert.deepEqual(later['topics'], [{ topic: 'news', scope: 'device' }]);
  assert.deepEqual(later['preferences']?.['categories'], { offers: false });
  const [left] = await network.homing.db<{ count: number }[]>`
    select count(*)::integer as count from purpose_token p join installation i using (installation_ref)
    where i.id = ${phone.id} and p.token_status <> 'retired'`;
  assert.equal(left?.count, 0);
});

test('the next user inherits nothing over a direct switch either', async () => {
  const phone = await signedIn();
  const put = (path: string, body: unknown) => phone.request('PUT', `${path}?seq=50`, body);
  assertAnswered(await phone.sync({ seq: 49, tags: { plan: 'pro' } }), 200);
  assertAnswered(await put('/topics/orders', { scope: 'user', user_id: 'anna' }), 200);
  const user = { id: 'ben', assertion: await phone.assertion('ben') };
  assertAnswered(await phone.sync({ seq: 51, user }), 200);
  const later = await network.backEnd.installation(phone.id);
  assert.equal(later['user']?.['id'], 'ben');
  assert.deepEqual(later['tags'], {});
  assert.deepEqual(later['topics'], []);
});

test('a switch may bring the tags of the new user along', async () => {
  const phone = await signedIn();
  assertAnswered(await phone.sync({ seq: 6, tags: { plan: 'pro' } }), 200);
  const user = { id: 'ben', assertion: await phone.assertion('ben') };
  assertAnswered(await phone.sync({ seq: 7, user, tags: { plan: 'free' } }), 200);
  assert.deepEqual((await network.backEnd.installation(phone.id))['tags'], { plan: 'free' });
});

test('a topic for a user who is not signed in is superseded', async () => {
  const phone = await signedIn();
  for (const userId of ['ben', 'nobody-knows']) {
    const answer = await phone.request('PUT', '/topics/orders?seq=60', {
      scope: 'user',
      user_id: userId,
    });
    assertAnswered(answer, 200);
    assert.equal(answer.body['applied'], false);
  }
  assert.deepEqual((await network.backEnd.installation(phone.id))['topics'], []);
});

test('preferences are ordered, patched and kept over logins', async () => {
  const phone = await signedIn();
  const put = (seq: number, body: unknown) => phone.request('PUT', `/preferences?seq=${seq}`, body);
  const until = '2030-01-01T00:00:00.000Z';
  assertAnswered(await put(3, { mode: 'off', categories: { offers: false } }), 200);
  assertAnswered(await put(4, { muted_until: until }), 200);
  const late = await put(2, { mode: 'on' });
  assert.deepEqual(late.body, {
    applied: false,
    seq: 4,
    preferences: { mode: 'off', muted_until: until, categories: { offers: false } },
  });
  assertAnswered(await phone.signOut(), 204);
  const stored = await network.backEnd.installation(phone.id);
  assert.deepEqual(stored['preferences'], late.body['preferences']);
  assertAnswered(await put(5, { mode: 'on', muted_until: null }), 200);
  const again = await network.backEnd.installation(phone.id);
  assert.equal(again['preferences']?.['muted_until'], null);
});
