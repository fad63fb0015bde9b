import assert from 'node:assert/strict';
import { assertProblem } from '../../packages/server/test/http/assert-problem.ts';
import { SimpleClient } from '../../packages/server/test/http/simple-client.ts';
import { textOf } from '../../packages/server/test/http/text-of.ts';
import type { Answer, AnswerBody } from '../answer.ts';
import { apnsToken, fcmToken } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import type { Phone, Token } from './phone.ts';
import { openScenarios } from './scenario.ts';
import { addressee, answered, type Scene } from './scene.ts';

/** Group B where more than a newer assertion is asked for: disputed tokens, and strict apps. */
const scenario = await openScenarios();

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Takes a token over by the nonce of the refusal, as an SDK does. */
async function claim(phone: Phone, token: Token, seq: number): Promise<Answer> {
  const refused = await phone.token(token, seq)();
  assertProblem(refused, 'token_held');
  return answered(phone.token(token, seq, refused.body['nonce'])(), 200);
}

/** The nonces that came through a token, oldest first, and nothing that would show. */
async function challenges(scene: Scene, token: Token): Promise<readonly string[]> {
  await scene.network.drain();
  const value = token.provider === 'webpush' ? token.endpoint : token.value;
  return scene.network.journal.entries({ token: value }).flatMap(({ body }) => {
    const push = body as {
      readonly homing?: { readonly challenge?: string };
      readonly message?: { readonly data?: { readonly homing_challenge?: string } };
    };
    return push.homing?.challenge ?? push.message?.data?.homing_challenge ?? [];
  });
}

async function statusOf(scene: Scene, phone: Phone): Promise<unknown> {
  return (await scene.backEnd.installation(phone.id))['status'];
}

async function openDisputes(scene: Scene): Promise<readonly AnswerBody[]> {
  const answer = await answered(scene.backEnd.get('/v1/alerts?open=true'), 200);
  const alerts = answer.body['data'] as unknown as readonly AnswerBody[];
  return alerts.filter(({ kind }) => textOf(kind) === 'token_contested');
}

/** Two phones, Anna's and Ben's, that took one token from each other four times. */
async function disputed(scene: Scene, token: Token) {
  const { phone: annas } = await scene.signedIn('anna', token);
  const { phone: bens } = await scene.signedIn('ben', fcmToken());
  for (const [turn, phone] of [bens, annas, bens].entries()) {
    await claim(phone, token, 3 + turn);
    assert.equal(await statusOf(scene, phone), 'active');
  }
  assert.deepEqual(await challenges(scene, token), []);
  await claim(annas, token, 6);
  return { annas, bens };
}

for (const makeToken of [apnsToken, fcmToken]) {
  const { provider } = makeToken();

  scenario(
    `S33 a token that keeps moving is disputed until its phone echoes: ${provider}`,
    async (scene) => {
      const token = makeToken();
      const { annas } = await disputed(scene, token);

      assert.equal(await statusOf(scene, annas), 'contested');
      const [nonce, ...others] = await challenges(scene, token);
      assert.deepEqual(others, []);
      await scene.assertAtRest({ own: [[token, 'anna']], recv: { anna: [], ben: [] } });
      const general = {
        audience: { installations: [annas.id] },
        content: { title: 'New opening hours' },
      };
      assert.equal((await scene.pushesBy(() => scene.backEnd.send(general))).length, 1);
      assert.deepEqual(
        (await scene.auditedMoves()).map(({ actor, contested }) => `${actor} ${contested}`),
        ['sdk false', 'sdk false', 'sdk false', 'sdk true'],
      );
      const [alert, ...more] = await openDisputes(scene);
      assert.deepEqual(more, []);
      assert.deepEqual(alert?.['detail'], {
        token: fingerprint({ value: token.value }),
        installation: annas.id,
        moves: 4,
      });

      // The same packet again, with what came through the token.
      await answered(annas.token(token, 6, nonce)(), 200);
      assert.equal(await statusOf(scene, annas), 'active');
      await scene.assertAtRest({ recv: { anna: [token], ben: [] } });
      assert.deepEqual(await openDisputes(scene), []);
      const lines = await scene.backEnd.timeline(annas.id);
      const masked = fingerprint({ value: token.value });
      const told = lines.filter((line) => line.includes(masked));
      assert.deepEqual(told.slice(-3), [
        `Token ${masked} was attached.`,
        `Token ${masked} is disputed between installations.`,
        `Token ${masked} was confirmed through a push to the device and is in use again.`,
      ]);
      await answered(annas.token(token, 6, nonce)(), 200);
      assert.equal((await scene.backEnd.timeline(annas.id)).length, lines.length);
    },
  );
}

scenario('S33 a disputed token is in use again after a day of calm', async (scene) => {
  const token = apnsToken();
  const { annas } = await disputed(scene, token);
  await scene.later(DAY_MS - 10 * MINUTE_MS);
  await scene.network.homing.maintenance.run();
  assert.equal(await statusOf(scene, annas), 'contested');
  await scene.later(20 * MINUTE_MS);
  await scene.network.homing.maintenance.run();
  assert.equal(await statusOf(scene, annas), 'active');
  await scene.assertAtRest({ own: [[token, 'anna']], recv: { anna: [token] } });
  assert.deepEqual(await openDisputes(scene), []);
});

scenario(
  'S33 a device that missed its challenge is asked again when it checks in',
  async (scene) => {
    const token = apnsToken();
    const { annas, bens } = await disputed(scene, token);
    const [missed] = await challenges(scene, token);
    // Whatever it repeats within the minute asks nothing; and nobody else's echo counts.
    await answered(annas.token(token, 6)(), 200);
    assertProblem(await bens.token(token, 9, missed)(), 'token_held');
    assert.equal((await challenges(scene, token)).length, 1);
    await scene.later(MINUTE_MS + 1_000);
    await answered(annas.token(token, 6, missed)(), 200);
    assert.equal(await statusOf(scene, annas), 'contested');
    const [, again] = await challenges(scene, token);
    await answered(annas.token(token, 6, again)(), 200);
    assert.equal(await statusOf(scene, annas), 'active');
  },
);

scenario(
  'S33 a token that moves three times in a day is not disputed, nor later',
  async (scene) => {
    const token = apnsToken();
    const { phone: annas } = await scene.signedIn('anna', token);
    const { phone: bens } = await scene.signedIn('ben', fcmToken());
    for (const [turn, phone] of [bens, annas, bens].entries()) await claim(phone, token, 3 + turn);
    await scene.later(DAY_MS + MINUTE_MS);
    await claim(annas, token, 6);
    assert.equal(await statusOf(scene, annas), 'active');
    assert.deepEqual(await challenges(scene, token), []);
  },
);

scenario('S29 two copies whose sequences never meet: tokens that take turns', async (scene) => {
  const { phone: original, token } = await scene.signedIn('anna');
  const copy = scene.phone(original);
  const copysToken = apnsToken();
  await answered(copy.token(copysToken, 3)(), 200);
  await answered(original.token(token, 4)(), 200);
  const third = copy.token(copysToken, 5);
  assertProblem(await third(), 'installation_forked');
  assertProblem(await third(), 'installation_forked');
  const anew = scene.phone();
  await answered(anew.signIn('anna', 1, { token: copysToken })(), 201);
  await scene.assertAtRest({
    own: [
      [token, 'anna'],
      [copysToken, 'anna'],
    ],
    recv: { anna: [token, copysToken] },
  });
  const lines = await scene.backEnd.timeline(original.id);
  assert.equal(lines.filter((line) => line.startsWith('Two copies')).length, 1);
  // A logout is never in the way of this, and neither is a token that is really new.
  await answered(original.signOut(6)(), 204);
  await answered(original.token(apnsToken(), 7)(), 200);
});

/** The app moves tokens by challenge alone. */
async function strict(scene: Scene): Promise<void> {
  await answered(scene.backEnd.request('PATCH', '/v1/app', { takeover: 'challenge' }), 200);
  await scene.later(10_000);
}

/** A claim that is answered by a push through the token, and by nothing that helps without it. */
async function assertChallenged(answer: Answer): Promise<void> {
  assertProblem(answer, 'token_held');
  assert.equal(textOf(answer.body['challenge']), 'sent');
  assert.equal(answer.body['nonce'], undefined);
}

scenario('S24 strict: a reinstalled app echoes what came through its token', async (scene) => {
  await strict(scene);
  const { phone: former, token } = await scene.signedIn('anna');
  await scene.later();
  const phone = scene.phone();
  const login = (takeover?: unknown) =>
    phone.packet({ seq: 1, token, user, ...(takeover !== undefined && { takeover }) });
  const user = { id: 'ben', assertion: await phone.assertion('ben') };
  await assertChallenged(await login()());
  await assertChallenged(await login()());
  const [nonce, ...others] = await challenges(scene, token);
  assert.deepEqual(others, []);
  assert.equal(await scene.own(token), 'anna');
  const answer = await answered(login(nonce)(), 201);
  // The answer was lost; so it is said again.
  assert.deepEqual((await answered(login(nonce)(), 200)).body['seq'], answer.body['seq']);
  assert.equal((await scene.backEnd.installation(former.id))['token'], null);
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
});

scenario('S26 strict: a reinstalled app at which nobody signs in is nobody’s', async (scene) => {
  await strict(scene);
  const { token } = await scene.signedIn('anna');
  const phone = scene.phone();
  await assertChallenged(await phone.token(token, 1)());
  const [nonce] = await challenges(scene, token);
  await answered(phone.token(token, 1, nonce)(), 201);
  await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
});

scenario('S30 strict: a raw client with a cached token never sees the challenge', async (scene) => {
  await strict(scene);
  const { phone: annas, token } = await scene.signedIn('anna');
  await scene.later();
  const bens = scene.phone();
  await assertChallenged(await bens.signIn('ben', 1, { token })());
  const [nonce] = await challenges(scene, token);
  // Anna's phone got it, and it is not for Anna's phone.
  const echo = await annas.token(token, 3, nonce)();
  assert.equal(echo.status, 200);
  assertProblem(await bens.signIn('ben', 1, { token, takeover: 'guess.ed' })(), 'token_held');
  await scene.assertAtRest({ own: [[token, 'anna']], recv: { anna: [token], ben: [] } });
});

scenario(
  'S34 strict: Mallory’s claims move nothing, and do not flood Anna’s phone',
  async (scene) => {
    await strict(scene);
    const { phone: annas, token } = await scene.signedIn('anna');
    await scene.later();
    const mallorys = Array.from({ length: 8 }, () => scene.phone());
    const states: string[] = [];
    for (const phone of mallorys) {
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const answer = await phone.signIn('mallory', 1, { token })();
        assertProblem(answer, 'token_held');
        assert.equal(answer.body['nonce'], undefined);
        states.push(textOf(answer.body['challenge']));
      }
    }
    assert.equal(states.filter((state) => state === 'sent').length, 15);
    assert.equal(states.filter((state) => state === 'waiting').length, 9);
    assert.equal((await challenges(scene, token)).length, 5);
    await scene.assertAtRest({ own: [[token, 'anna']], recv: { anna: [token], mallory: [] } });
    const [push] = await scene.pushesBy(() => scene.backEnd.sendToUsers(['anna']));
    assert.ok(push !== undefined);
    assert.equal(addressee(push), annas.tagOf('anna'));
    const lines = await scene.backEnd.timeline(annas.id);
    assert.ok(lines.every((line) => !line.includes('moved')));
  },
);

scenario(
  'S34 strict: the nonce ends with a change of the holder, and after a minute',
  async (scene) => {
    await strict(scene);
    const { phone: annas, token } = await scene.signedIn('anna');
    const phone = scene.phone();
    await assertChallenged(await phone.token(token, 1)());
    const [first] = await challenges(scene, token);
    await answered(annas.signOut(3)(), 204);
    await assertChallenged(await phone.token(token, 1, first)());
    const [, second] = await challenges(scene, token);
    await scene.later(MINUTE_MS + 1_000);
    await assertChallenged(await phone.token(token, 1, second)());
    const [, , third] = await challenges(scene, token);
    await answered(phone.token(token, 1, third)(), 201);
    assert.equal((await scene.hold(token))?.['id'], phone.id);
  },
);

scenario(
  'S34 strict: nor do the simple routes move anything, but a back end does',
  async (scene) => {
    await strict(scene);
    const token = fcmToken();
    const { phone: annas } = await scene.signedIn('anna', token);
    await scene.later();
    const simple = new SimpleClient(scene.network.url, scene.app);
    const bearer = await scene.network.issuer.sign(scene.app.id, 'mallory');
    const body = { token: token.value, deviceId: 'mallorys-phone' };
    assertProblem(await simple.register(body, bearer), 'token_held');
    assert.equal((await scene.hold(token))?.['id'], annas.id);
    assert.deepEqual(await challenges(scene, token), []);
    await answered(simple.register({ ...body, userId: 'ben' }, scene.app.secretKey), 200);
    assert.equal(await scene.own(token), 'ben');
  },
);
