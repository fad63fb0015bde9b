import assert from 'node:assert/strict';
import { assertProblem } from '../../packages/server/test/http/assert-problem.ts';
import { MISTAKEN_USER_IDS } from '../../packages/server/test/http/bad-request.ts';
import { SimpleClient } from '../../packages/server/test/http/simple-client.ts';
import { request } from '../answer.ts';
import { apnsToken, fcmToken } from '../device.ts';
import type { Phone } from './phone.ts';
import { openScenarios } from './scenario.ts';
import { answered, superseded, type Scene } from './scene.ts';

/** Group G: who is who, what is left of whom, and what time it is. */
const scenario = await openScenarios();

const HOUR_MS = 3_600_000;

scenario('S89 what programs write by mistake is no user id', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  for (const id of MISTAKEN_USER_IDS) {
    const user = { id, assertion: await phone.assertion(id) };
    assertProblem(await phone.packet({ seq: 3, user })(), 'validation_failed', '/user/id');
    const body = { audience: { users: [id] }, content: { title: 'Hello' } };
    const sent = await scene.backEnd.request('POST', '/v1/notifications', body);
    assertProblem(sent, 'validation_failed', '/audience/users/0');
    const path = `/v1/users/${encodeURIComponent(id)}`;
    const written = await scene.backEnd.request('PUT', path, { locale: 'de' });
    assert.ok([404, 422].includes(written.status), JSON.stringify(written.body));
  }
  for (const unreadable of ['an\u0000na', 'anna\ud800']) {
    assertProblem(await phone.packet({ seq: 3, user: { id: unreadable } })(), 'invalid_request');
  }
  // Where the assertion alone says who it is, it is the assertion that is refused.
  const simple = new SimpleClient(scene.nextServer(), scene.app);
  for (const id of [...MISTAKEN_USER_IDS, 'an\u0000na', 'anna\ud800']) {
    const bearer = await scene.network.issuer.sign(scene.app.id, id);
    const body = { token: fcmToken().value, deviceId: `of ${id.length} signs` };
    assertProblem(await simple.register(body, bearer), 'assertion_invalid');
  }
  const users = await scene.network.homing.db<{ id: string }[]>`
    select u.id from app_user u join app a using (app_ref)
    where a.id = ${scene.app.id.slice('app_'.length)}::uuid`;
  assert.deepEqual(
    users.map((one) => one.id),
    ['anna'],
  );
  assert.equal((await scene.backEnd.installation(phone.id))['seq']?.['user'], 2);
  await scene.assertAtRest({ own: [[token, 'anna']], recv: { anna: [token] } });
});

scenario('S89 names that look alike are users of their own', async (scene) => {
  const users = ['Anna', 'anna', 'anna ', 'Zo\u00eb', 'Zoe\u0308', '\u0430nna'];
  const owned = [];
  for (const user of users) owned.push({ user, ...(await scene.signedIn(user)) });
  for (const { user, token } of owned) {
    await scene.assertAtRest({ own: [[token, user]], recv: { [user]: [token] } });
  }
});

const WAYS_TO_BEN: Readonly<Record<string, (phone: Phone, scene: Scene) => Promise<unknown>>> = {
  'a logout between': async (phone) => answered(phone.signOut(20)(), 204),
  'a direct switch': async () => {},
  'a revocation between': async (_, scene) =>
    answered(scene.backEnd.request('POST', '/v1/users/anna/revoke', {}), 200),
  'an erasure between': async (_, scene) =>
    answered(scene.backEnd.request('DELETE', '/v1/users/anna'), 204),
};

for (const [way, leave] of Object.entries(WAYS_TO_BEN)) {
  scenario(`S90 Ben inherits nothing of Anna’s, with ${way}`, async (scene) => {
    const { phone, token } = await scene.signedIn('anna');
    const { backEnd } = scene;
    await answered(backEnd.request('PUT', '/v1/users/anna', { locale: 'fr' }), 200);
    const said = { tags: { plan: 'pro' }, device_tags: { beta: 'yes' } };
    await answered(phone.packet({ seq: 10, ...said })(), 200);
    const topic = (name: string, body: object) =>
      answered(phone.request('PUT', `/topics/${name}?seq=11`, body), 200);
    await topic('orders', { scope: 'user', user_id: 'anna' });
    await topic('news', { scope: 'device' });
    const voip = { value: '0c'.repeat(32) };
    await answered(phone.request('PUT', '/purpose-tokens/voip?seq=12', voip), 200);

    await leave(phone, scene);
    // What the back end ends refuses every assertion of that second.
    await scene.later();
    await answered(phone.signIn('ben', 21)(), 200);

    const installation = await backEnd.installation(phone.id);
    assert.deepEqual(installation['tags'], {});
    assert.deepEqual(installation['device_tags'], { beta: 'yes' });
    assert.deepEqual(installation['topics'], [{ topic: 'news', scope: 'device' }]);
    const ben = await answered(backEnd.get('/v1/users/ben'), 200);
    assert.equal(ben.body['locale'], null);
    const exported = await answered(backEnd.get('/v1/users/ben/export'), 200);
    assert.ok(!JSON.stringify(exported.body).includes('orders'));
    assert.deepEqual(exported.body['purpose_tokens'], []);
    await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
  });
}

for (const [year, timestamp] of [
  ['1970', 0],
  ['2099', Date.UTC(2099, 11, 31)],
  ['the hour that summer time skips', Date.parse('2026-03-29T02:30:00+01:00')],
  ['a leap second', Date.UTC(2016, 11, 31, 23, 59, 60)],
] as const) {
  scenario(`S91 the clock of a phone says ${year}, and nothing listens`, async (scene) => {
    const { network, app } = scene;
    const register = async (userId: string, token: string, at: number): Promise<void> => {
      const authorization = `Bearer ${await network.issuer.sign(app.id, userId)}`;
      const body = { token, userId, platform: 'android', deviceId: 'tablet', timestamp: at };
      const options = { method: 'POST', headers: { authorization }, body };
      await answered(request(`${scene.nextServer()}/register-token`, options), 200);
    };
    const [first, second] = [fcmToken(), fcmToken()];
    await register('anna', first.value, scene.network.clock.now().getTime());
    await register('ben', second.value, timestamp);
    assert.equal(await scene.hold(first), null);
    assert.equal(await scene.own(second), 'ben');
    await register('anna', first.value, timestamp - 1);
    assert.equal(await scene.own(first), 'anna');
  });
}

scenario('S91 the server’s clock goes back an hour in the middle', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  const late = phone.signIn('anna', 3);
  const { token: held } = await scene.signedIn('sara');
  const fresh = apnsToken();
  await scene.later(-HOUR_MS);
  await answered(phone.signOut(4)(), 204);
  await answered(phone.signIn('ben', 5)(), 200);
  await superseded(late(), 'user');
  await answered(phone.token(fresh, 6)(), 200);
  await scene.assertAtRest({
    own: [
      [token, null],
      [fresh, 'ben'],
    ],
    recv: { anna: [], ben: [fresh] },
  });
  // To the clock this claim is older than what it claims, so it has to echo the nonce.
  const other = scene.phone();
  const refused = await other.signIn('maria', 1, { token: held })();
  assertProblem(refused, 'token_held');
  const takeover = refused.body['nonce'];
  await answered(other.signIn('maria', 1, { token: held, takeover })(), 201);
  await scene.later(HOUR_MS);
  await scene.assertAtRest({
    own: [
      [fresh, 'ben'],
      [held, 'maria'],
    ],
    recv: { ben: [fresh], maria: [held], sara: [] },
  });
});

scenario('S91 an assertion may be a minute ahead of the server, and no more', async (scene) => {
  const { phone, token } = await scene.enrolled();
  const ahead = (seconds: number) =>
    new Date(scene.network.clock.now().getTime() + seconds * 1_000);
  const early = phone.signIn('anna', 2, { issuedAt: ahead(75) });
  assertProblem(await early(), 'assertion_invalid');
  await scene.assertAtRest({ own: [[token, null]] });
  await answered(phone.signIn('anna', 3, { issuedAt: ahead(45) })(), 200);
  // Nor may it have ended: five minutes it was good for, and one more for the clocks.
  await answered(phone.signIn('ben', 4, { issuedAt: ahead(-330) })(), 200);
  assertProblem(await phone.signIn('anna', 5, { issuedAt: ahead(-375) })(), 'assertion_invalid');
  await scene.assertAtRest({ own: [[token, null]], recv: { anna: [], ben: [] } });
});
