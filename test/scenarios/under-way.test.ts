import assert from 'node:assert/strict';
import { createApp, createLogger } from '@homing/server';
import { assertProblem } from '../../packages/server/test/http/assert-problem.ts';
import { assertConserved } from '../conservation.ts';
import { fcmToken } from '../device.ts';
import { acceptedPushes } from '../pushes.ts';
import { cross, CROSSINGS } from './crossing.ts';
import { openScenarios } from './scenario.ts';
import { addressee, answered, type Scene } from './scene.ts';

/** Group C: the phone changes hands while messages are under way. */
// Credentials are refused here on purpose, which the log would report.
const logger = createLogger('silent');
const scenario = await openScenarios({ logger });
const withoutWorker = await openScenarios({ role: 'api', forms: [1], logger });

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;
const LONGER_THAN_ALLOWED_SECONDS = 28 * 24 * 60 * 60;

withoutWorker('S46 a message that waited for a worker when Anna left', async (scene) => {
  const { phone } = await scene.signedIn('anna');
  const id = await scene.backEnd.sendToUsers(['anna']);
  await answered(phone.signOut(3)(), 204);
  const { config, masterKey, clock, journal } = scene.network;
  const overrides = { clock: clock.now, logger };
  await using worker = createApp({ ...config, role: 'worker' }, { masterKey }, overrides);
  await worker.start();
  await worker.dispatcher?.drain();
  assert.deepEqual(acceptedPushes(journal), []);
  const report = await scene.backEnd.report(id);
  assertConserved(report);
  assert.deepEqual([report['status'], report['counts']?.['accepted']], ['finished', 0]);
});

for (const [end, method, path] of [
  ['S55 a message that waited for a worker when Anna was signed out', 'POST', '/revoke'],
  ['S56 a message that waited for a worker when Anna was deleted', 'DELETE', ''],
] as const) {
  withoutWorker(end, async (scene) => {
    await scene.signedIn('anna');
    const { token: bens } = await scene.signedIn('ben');
    await scene.backEnd.sendToUsers(['anna']);
    await scene.backEnd.sendToUsers(['anna', 'ben']);
    const ended = await scene.backEnd.request(method, `/v1/users/anna${path}`, {});
    assert.ok(ended.status === 200 || ended.status === 204, JSON.stringify(ended.body));
    const { config, masterKey, clock, journal } = scene.network;
    const { received } = journal.counters;
    const overrides = { clock: clock.now, logger };
    await using worker = createApp({ ...config, role: 'worker' }, { masterKey }, overrides);
    await worker.start();
    await worker.dispatcher?.drain();
    assert.deepEqual(
      acceptedPushes(journal, received).map((push) => push.token),
      [bens.value],
    );
  });
}

scenario('S46 a message that was resolved before the logout and leaves after it', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  // The refused credential stops the lane when the audience is resolved and nothing is accepted.
  const fault = { kind: 'answer', status: 403, reason: 'InvalidProviderToken' } as const;
  const { apns } = scene.network;
  apns.faults.schedule({ times: Infinity, match: { token: token.value }, fault });
  const id = await scene.backEnd.sendToUsers(['anna']);
  await scene.network.drain();
  assert.equal((await scene.backEnd.report(id))['counts']?.['pending'], 1);
  await answered(phone.signOut(3)(), 204);
  apns.faults.clear();
  assert.deepEqual(await scene.pushesBy(() => scene.later(5 * MINUTE_MS)), []);
  await assertSkipped(scene, id, 1);
});

scenario('S48 a switch a moment after the provider took the push', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  const pushes = await scene.pushesBy(async () => {
    using hold = scene.network.apns.faults.hold({ token: token.value }, 'answer');
    const id = await scene.backEnd.sendToUsers(['anna']);
    await hold.arrived();
    await answered(phone.signIn('ben', 3)(), 200);
    hold.release();
    await scene.network.drain();
    const explained = await scene.backEnd.get(`/v1/notifications/${id}/explain?user_id=anna`);
    const text = JSON.stringify(explained.body['installations']);
    assert.match(text, /The owner of the device changed after it was accepted\./);
  });
  // No server can call it back; its tag lets the phone refuse it.
  assert.deepEqual(pushes.map(addressee), [phone.tagOf('anna')]);
  assert.notEqual(phone.tagOf('anna'), phone.tagOf('ben'));
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
});

for (const [status, reason] of [
  [503, 'ServiceUnavailable'],
  [429, 'TooManyRequests'],
] as const) {
  scenario(`S49 a retry after ${status} that the switch overtook`, async (scene) => {
    const { phone, token } = await scene.signedIn('anna');
    const id = await holdBack(scene, [token], { status, reason });
    await scene.later(10 * SECOND_MS);
    await answered(phone.signIn('ben', 3)(), 200);
    assert.deepEqual(await scene.pushesBy(() => scene.later(5 * MINUTE_MS)), []);
    await assertSkipped(scene, id, 1);
    await scene.assertAtRest({ recv: { anna: [], ben: [token] } });
  });
}

scenario('S51 what is due later goes only where Anna is signed in then', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  const { token: kept } = await scene.signedIn('anna');
  const id = await holdBack(scene, [token, kept], { retryAfterSeconds: 3_600 });
  await scene.later(30 * MINUTE_MS);
  await answered(phone.signIn('ben', 3)(), 200);
  const pushes = await scene.pushesBy(() => scene.later(40 * MINUTE_MS));
  assert.deepEqual(
    pushes.map((push) => push.token),
    [kept.value],
  );
  await assertSkipped(scene, id, 1);
});

scenario('S55 signed out everywhere: nothing more of a half-sent message', async (scene) => {
  const [sent, first, second] = [
    await scene.signedIn('anna', fcmToken()),
    await scene.signedIn('anna'),
    await scene.signedIn('anna'),
  ];
  const id = await holdBack(scene, [first.token, second.token]);
  assert.equal((await scene.backEnd.report(id))['counts']?.['accepted'], 1);
  const revoked = await scene.backEnd.request('POST', '/v1/users/anna/revoke', {});
  assert.deepEqual([revoked.status, revoked.body['signed_out']], [200, 3]);
  assert.deepEqual(await scene.pushesBy(() => scene.later(5 * MINUTE_MS)), []);
  await assertSkipped(scene, id, 2);
  const own = [sent, first, second].map(({ token }) => [token, null] as const);
  await scene.assertAtRest({ own, recv: { anna: [] } });
});

scenario('S55 one installation revoked by name leaves the others', async (scene) => {
  const [lost, kept] = [await scene.signedIn('anna'), await scene.signedIn('anna')];
  const id = await holdBack(scene, [lost.token, kept.token]);
  const body = { installations: [lost.phone.id] };
  const revoked = await scene.backEnd.request('POST', '/v1/users/anna/revoke', body);
  assert.deepEqual([revoked.status, revoked.body['signed_out']], [200, 1]);
  const pushes = await scene.pushesBy(() => scene.later(5 * MINUTE_MS));
  assert.deepEqual(
    pushes.map((push) => push.token),
    [kept.token.value],
  );
  await assertSkipped(scene, id, 1);
  await scene.assertAtRest({
    own: [
      [lost.token, null],
      [kept.token, 'anna'],
    ],
    recv: { anna: [kept.token] },
  });
});

scenario(
  'S56 a deleted account: nothing more is sent, and nobody comes back late',
  async (scene) => {
    const { phone, token } = await scene.signedIn('anna');
    await answered(phone.packet({ seq: 3, tags: { plan: 'pro' } })(), 200);
    const { phone: other } = await scene.enrolled();
    const late = [phone.signIn('anna', 5), other.signIn('anna', 3)];
    await holdBack(scene, [token]);
    await answered(scene.backEnd.request('DELETE', '/v1/users/anna'), 204);
    assert.deepEqual(await scene.pushesBy(() => scene.later(5 * MINUTE_MS)), []);
    for (const packet of late) assertProblem(await packet(), 'assertion_invalid');
    await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });

    // Anna signs up again, on another phone: a fresh user with nothing of the old one's.
    const again = await scene.signedIn('anna', fcmToken());
    const installation = await scene.backEnd.installation(phone.id);
    assert.deepEqual([installation['user'], installation['tags']], [null, {}]);
    const user = await scene.backEnd.get('/v1/users/anna');
    assert.equal((user.body['installations'] as unknown as readonly unknown[]).length, 1);
    await scene.assertAtRest({ recv: { anna: [again.token] } });
  },
);

/** Who ends a user does not wait at the row of a phone on which that user is not signed in. */
const CROSSINGS_WITH_AN_END = CROSSINGS.filter((one) => one !== 'the second ahead at the row');

for (const crossing of CROSSINGS_WITH_AN_END) {
  for (const [end, method, path] of [
    ['S55 a revocation', 'POST', '/v1/users/anna/revoke'],
    ['S56 a deletion', 'DELETE', '/v1/users/anna'],
  ] as const) {
    scenario(`${end} crosses Anna’s login elsewhere: ${crossing}`, async (scene) => {
      const { token } = await scene.signedIn('anna');
      const { phone, token: other } = await scene.enrolled();
      const body = method === 'POST' ? {} : undefined;
      const [login, ended] = await cross(scene, crossing, phone, phone.signIn('anna', 2), () =>
        scene.backEnd.request(method, path, body),
      );
      if (login.status !== 200) assertProblem(login, 'assertion_invalid');
      assert.ok(ended.status === 200 || ended.status === 204, JSON.stringify(ended.body));
      await scene.assertAtRest({
        own: [
          [token, null],
          [other, null],
        ],
        recv: { anna: [] },
      });
    });
  }
}

scenario('S60 what a provider stores for a phone that is off ends by itself', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  const { backEnd } = scene;
  const { apns } = scene.network;
  apns.devices.setOnline(token.value, false);
  const body = {
    audience: { users: ['anna'] },
    content: { title: 'For Anna' },
    options: { ttl_seconds: LONGER_THAN_ALLOWED_SECONDS },
  };
  const now = scene.network.clock.now();
  const [push] = await scene.pushesBy(async () => {
    const answer = await answered(backEnd.request('POST', '/v1/notifications', body), 202);
    assert.match(JSON.stringify(answer.body['warnings']), /ttl_shortened/);
  });
  assert.ok(push !== undefined);
  const expiration = Number(push.headers['apns-expiration']) * SECOND_MS;
  assert.ok(expiration > now.getTime() && expiration <= now.getTime() + DAY_MS + MINUTE_MS);
  // Ben signed in without a network; the phone compares the tag with his.
  assert.equal(addressee(push), phone.tagOf('anna'));
  assert.equal(apns.devices.view(token.value).stored.length, 1);
  await scene.later(2 * DAY_MS);
  apns.devices.setOnline(token.value, true);
  const { shown, stored } = apns.devices.view(token.value);
  assert.deepEqual([shown.length, stored.length], [0, 0]);
});

scenario('S62 a tap on Anna’s push after Ben’s login is credited to her message', async (scene) => {
  const { phone } = await scene.signedIn('anna');
  const id = await scene.backEnd.sendToUsers(['anna']);
  await scene.network.drain();
  await answered(phone.signIn('ben', 3)(), 200);
  const receipt = { notification_id: id, kind: 'opened', at: scene.network.clock.now() };
  const answer = await answered(phone.request('POST', '/receipts', { receipts: [receipt] }), 200);
  assert.deepEqual(answer.body, { stored: 1, ignored: 0 });
  for (const [user, count] of [
    ['anna', 1],
    ['ben', 0],
  ] as const) {
    const exported = await answered(scene.backEnd.get(`/v1/users/${user}/export`), 200);
    assert.equal((exported.body['receipts'] as unknown as readonly unknown[]).length, count, user);
  }
});

interface Refusal {
  readonly status?: number;
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
}

/** Sends to Anna while her provider refuses these tokens for now; the retries are left to come. */
async function holdBack(
  scene: Scene,
  tokens: readonly { readonly value: string }[],
  refusal: Refusal = {},
): Promise<string> {
  const fault = {
    kind: 'answer',
    status: 503,
    reason: 'ServiceUnavailable',
    retryAfterSeconds: 30,
    ...refusal,
  } as const;
  for (const { value } of tokens) {
    scene.network.apns.faults.schedule({ times: 1, match: { token: value }, fault });
  }
  const id = await scene.backEnd.sendToUsers(['anna']);
  await scene.network.drain();
  assert.equal((await scene.backEnd.report(id))['counts']?.['retrying'], tokens.length);
  return id;
}

async function assertSkipped(scene: Scene, id: string, count: number): Promise<void> {
  const report = await scene.backEnd.report(id);
  assertConserved(report);
  assert.equal(report['status'], 'finished');
  assert.deepEqual(report['reasons'], { skipped: { owner_changed: count } });
}
