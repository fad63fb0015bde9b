import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { textOf } from '../http/text-of.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { backEnd } = network;

/** PostgreSQL looks for a deadlock after this long, so that whoever is faster met none. */
const DEADLOCK_TIMEOUT_MS = 1_000;

async function userOf(phone: Device): Promise<unknown> {
  return (await backEnd.installation(phone.id))['user']?.['id'] ?? null;
}

test('a revocation by name holds where the user is not signed in yet', async () => {
  const phone = network.device();
  assertAnswered(await phone.register(apnsToken()), 201);
  const late = await phone.assertion('anna');
  const body = { installations: [phone.id] };
  const revoked = await backEnd.request('POST', '/v1/users/anna/revoke', body);
  assert.deepEqual(revoked.body, { signed_out: 0 });
  const answer = await phone.sync({ user: { id: 'anna', assertion: late } });
  assertProblem(answer, 'assertion_invalid');
  assert.equal(await userOf(phone), null);
  network.clock.advance(1_000);
  assertAnswered(await phone.signIn('anna'), 200);
});

test('revocations and switches that need the same rows never wait for each other in a circle', async (t) => {
  let slowestMs = 0;
  for (let round = 0; round < 60; round += 1) {
    const [taker, holder] = [network.device(), network.device()];
    const token = fcmToken();
    network.clock.advance(10_000);
    assertAnswered(await taker.register(fcmToken(), `ben-${round}`), 201);
    assertAnswered(await holder.register(token, `anna-${round}`), 201);
    network.clock.advance(2_000);
    const begin = performance.now();
    // The switch needs Anna's session and both rows; the revocation needs her session and one row.
    const [claim, revoked] = await Promise.all([
      taker.register(token, `anna-${round}`),
      backEnd.request('POST', `/v1/users/anna-${round}/revoke`, {
        installations: [taker.id, holder.id],
      }),
    ]);
    slowestMs = Math.max(slowestMs, performance.now() - begin);
    assert.ok([200, 401, 409].includes(claim.status), JSON.stringify(claim.body));
    assertAnswered(revoked, 200);
    assert.equal(await userOf(holder), null);
  }
  t.diagnostic(`the slowest of 60 took ${Math.round(slowestMs)} ms`);
  assert.ok(slowestMs < DEADLOCK_TIMEOUT_MS);
});

test('of many devices that show one assertion at once a single one is signed in', async () => {
  const { url, app, issuer } = network;
  const bearer = await issuer.sign(app.id, 'dora');
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) =>
      fetch(`${url}/register-token`, {
        method: 'POST',
        headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          token: fcmToken().value,
          userId: 'dora',
          deviceId: `phone-${index}`,
        }),
      }),
    ),
  );
  const statuses = answers.map(({ status }) => status);
  assert.equal(statuses.filter((status) => status === 200).length, 1, statuses.join(' '));
  assert.equal(statuses.filter((status) => status === 401).length, 11, statuses.join(' '));
  const user = await backEnd.get('/v1/users/dora');
  assert.equal((user.body['installations'] as unknown as readonly unknown[]).length, 1);
});

test('an assertion from before its token moved takes nothing over (rule R3)', async () => {
  const [former, later] = [network.device(), network.device()];
  const token = apnsToken();
  assertAnswered(await later.register(apnsToken(), 'emil'), 201);
  network.clock.advance(10_000);
  const late = { token, user: { id: 'frieda', assertion: await former.assertion('frieda') } };
  network.clock.advance(10_000);
  assertAnswered(await later.sync({ token }), 200);
  const held = textOf((await backEnd.installation(later.id))['token']?.['masked']);
  assertProblem(await former.sync(late), 'token_held');
  assert.equal((await backEnd.installation(later.id))['token']?.['masked'], held);
});

test('an assertion that comes with a superseded user takes nothing over (rule R3)', async () => {
  const [holder, claimant] = [network.device(), network.device()];
  const token = apnsToken();
  assertAnswered(await holder.register(token, 'gina'), 201);
  assertAnswered(await claimant.sync({ seq: 9, user: null }), 201);
  network.clock.advance(5_000);
  const user = { id: 'hans', assertion: await claimant.assertion('hans') };
  assertProblem(await claimant.sync({ seq: 5, token, user }), 'token_held');
});
