import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken } from '../../../../test/device.ts';
import { fingerprint } from '../../../../test/fingerprint.ts';
import { startNetwork } from '../../../../test/network.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());

type Line = Readonly<Record<string, unknown>>;

async function linesOf(path: string): Promise<readonly Line[]> {
  const answer = await network.backEnd.get(`${path}/timeline`);
  assertAnswered(answer, 200);
  return answer.body['data'] as unknown as readonly Line[];
}

const phone = network.device();
const tokens = [apnsToken(), fcmToken()] as const;
assertAnswered(await phone.register(tokens[0], 'anna'), 201);
assertAnswered(await phone.sync({ token: tokens[1] }), 200);
assertAnswered(
  await phone.sync({ user: { id: 'ben', assertion: await phone.assertion('ben') } }),
  200,
);
assertAnswered(await phone.sync({ seq: phone.seq, user: null }), 409);
assertAnswered(await phone.signOut(), 204);
assertAnswered(await phone.sync({ user: { id: 'cleo', assertion: 'forged' } }), 401);
assertAnswered(await phone.request('DELETE', ''), 204);

test('the timeline of an installation tells everything in order', async () => {
  const lines = await linesOf(`/v1/installations/${phone.id}`);
  assert.deepEqual(
    lines.map(({ kind }) => kind),
    [
      'installation.created',
      'token.attached',
      'user.attached',
      'token.refreshed',
      'user.detached',
      'user.attached',
      'installation.forked',
      'user.detached',
      'registration.refused',
      'installation.removed',
    ],
  );
  const times = lines.map(({ at }) => String(at));
  assert.deepEqual(times, times.toSorted());
  assert.ok(lines.every(({ request_id: id }) => typeof id === 'string' && id.length > 0));
  assert.ok(lines.every(({ source }) => source === 'sdk'));
});

test('no timeline shows a token, a secret or an assertion; a fingerprint at most', async () => {
  const text = JSON.stringify([
    await linesOf(`/v1/installations/${phone.id}`),
    await linesOf('/v1/users/anna'),
    await linesOf('/v1/users/ben'),
  ]);
  for (const secret of [tokens[0].value, tokens[1].value, phone.secret, 'eyJ']) {
    assert.ok(!text.includes(secret));
  }
  assert.ok(text.includes(fingerprint(tokens[0])));
  assert.ok(text.includes(fingerprint(tokens[1])));
});

test('the timeline of a user tells of no other user on the same device', async () => {
  const [anna, ben] = [await linesOf('/v1/users/anna'), await linesOf('/v1/users/ben')];
  assert.ok(!JSON.stringify(anna).includes('ben'), JSON.stringify(anna));
  assert.ok(!JSON.stringify(ben).includes('anna'), JSON.stringify(ben));
  for (const lines of [anna, ben]) {
    const kinds = lines.map(({ kind }) => String(kind)).filter((kind) => kind.startsWith('user.'));
    assert.deepEqual(kinds, ['user.attached', 'user.detached']);
  }
});

test('events hold no user id, token or content in the database', async () => {
  const rows = await network.homing.db<{ line: string }[]>`select e::text as line from event e`;
  const text = JSON.stringify(rows);
  for (const secret of ['anna', 'ben', 'cleo', tokens[0].value, tokens[1].value]) {
    assert.ok(!text.includes(secret), secret);
  }
});

test('a client reads its own state without the history that back ends see', async () => {
  const device = network.device();
  assertAnswered(await device.register(fcmToken(), 'dora'), 201);
  const own = (await device.request('GET', '')).body;
  const full = await network.backEnd.installation(device.id);
  for (const member of ['last_user', 'last_failure', 'failures_in_a_row', 'dormant_since']) {
    assert.ok(!(member in own), member);
    assert.ok(member in full, member);
  }
  const timeline = await device.request('GET', '/timeline');
  assertAnswered(timeline, 401);
});
