import assert from 'node:assert/strict';
import { assertProblem } from '../../packages/server/test/http/assert-problem.ts';
import { randomUUID } from 'node:crypto';
import { request, type Answer } from '../answer.ts';
import { apnsToken, fcmToken } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import { cross, CROSSINGS } from './crossing.ts';
import { freshStorage, type Phone, type Token } from './phone.ts';
import { openScenarios } from './scenario.ts';
import { addressee, answered, type Scene } from './scene.ts';

/** Group B: one token and two installations; copies of phones; attacks. */
const scenario = await openScenarios();

scenario('S24 a reinstalled app takes its token along, to the next user', async (scene) => {
  const { phone: former, token } = await scene.signedIn('anna');
  await scene.later();
  const phone = scene.phone();
  assertProblem(await phone.token(token, 1)(), 'token_held');
  await answered(phone.signIn('ben', 2, { token })(), 201);
  assert.equal((await scene.hold(token))?.['id'], phone.id);
  assert.equal((await scene.backEnd.installation(former.id))['token'], null);
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
});

scenario('S26 a reinstalled app at which nobody signs in is nobody’s', async (scene) => {
  const { token } = await scene.signedIn('anna');
  const phone = scene.phone();
  const refused = await phone.token(token, 1)();
  assertProblem(refused, 'token_held');
  await answered(phone.token(token, 1, refused.body['nonce'])(), 201);
  assert.equal((await scene.hold(token))?.['id'], phone.id);
  await scene.assertAtRest({ own: [[token, null]], recv: { anna: [] } });
});

scenario('S28 a backup on a second phone enrols anew, and both are Anna’s', async (scene) => {
  const { phone: first, token } = await scene.signedIn('anna');
  const restored = scene.phone({ ...freshStorage(), id: first.id });
  assertProblem(await restored.packet({ seq: 3 })(), 'invalid_credentials');
  const second = scene.phone();
  const secondToken = fcmToken();
  await answered(second.token(secondToken, 1)(), 201);
  await answered(second.signIn('anna', 2)(), 200);
  await scene.assertAtRest({
    own: [
      [token, 'anna'],
      [secondToken, 'anna'],
    ],
    recv: { anna: [token, secondToken] },
  });
});

scenario('S29 a copy with the secret is found out at its first collision', async (scene) => {
  const { phone: original, token } = await scene.signedIn('anna');
  const copy = scene.phone(original);
  const copysToken = apnsToken();
  await answered(copy.token(copysToken, 3)(), 200);
  assertProblem(await original.token(token, 3)(), 'installation_forked');
  const anew = scene.phone();
  await answered(anew.token(token, 1)(), 201);
  await answered(anew.signIn('anna', 2)(), 200);
  assert.notEqual(
    (await scene.hold(token))?.['id'],
    (await scene.hold(copysToken))?.['id'],
    'two installations',
  );
  await scene.assertAtRest({ recv: { anna: [token, copysToken] } });
  const lines = await scene.backEnd.timeline(original.id);
  assert.equal(lines.filter((line) => line.startsWith('Two copies')).length, 1);
});

scenario('S30 Ben’s phone with Anna’s backup gets nothing that is for Anna', async (scene) => {
  const { phone: annas, token } = await scene.signedIn('anna');
  const restored = scene.phone({ ...freshStorage(), id: annas.id });
  assertProblem(await restored.signIn('ben', 3)(), 'invalid_credentials');
  const bens = scene.phone();
  await answered(bens.signIn('ben', 1)(), 201);
  await scene.assertAtRest({ own: [[token, 'anna']], recv: { anna: [token], ben: [] } });
  const bensToken = apnsToken();
  await answered(bens.token(bensToken, 2)(), 200);
  await scene.assertAtRest({ recv: { anna: [token], ben: [bensToken] } });
});

scenario('S30 a raw client that insists on a cached token gets it by a login', async (scene) => {
  const { phone: annas, token } = await scene.signedIn('anna');
  await scene.later();
  const bens = scene.phone();
  // The limit of this mode: the claimant never had to show that pushes to the token reach it.
  await answered(bens.signIn('ben', 1, { token })(), 201);
  const [push] = await scene.pushesBy(() => scene.backEnd.sendToUsers(['ben']));
  assert.ok(push !== undefined);
  assert.equal(addressee(push), bens.tagOf('ben'));
  assert.notEqual(addressee(push), annas.tagOf('anna'));
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [] } });
});

scenario('S31 a copy is handed to Ben, and the original is never opened again', async (scene) => {
  const { phone: original, token } = await scene.signedIn('anna');
  const copy = scene.phone(original);
  const copysToken = apnsToken();
  await answered(copy.token(copysToken, 3)(), 200);
  await answered(copy.signIn('ben', 4)(), 200);
  assert.equal(await scene.hold(token), null);
  await scene.assertAtRest({
    own: [[copysToken, 'ben']],
    recv: { anna: [], ben: [copysToken] },
  });
});

scenario('S32 the provider gives an old token to another phone', async (scene) => {
  const { phone: annas, token: recycled } = await scene.signedIn('anna');
  const fresh = apnsToken();
  await scene.later();
  const bens = scene.phone();
  await answered(bens.signIn('ben', 1, { token: recycled })(), 201);
  await answered(annas.token(fresh, 3)(), 200);
  await scene.assertAtRest({
    own: [
      [recycled, 'ben'],
      [fresh, 'anna'],
    ],
    recv: { anna: [fresh], ben: [recycled] },
  });
});

scenario('S34 Mallory claims Anna’s token, until Anna’s phone starts again', async (scene) => {
  const { phone: annas, token } = await scene.signedIn('anna');
  const { phone: mallorys, token: mallorysToken } = await scene.enrolled();
  await scene.later();
  await answered(mallorys.signIn('mallory', 2, { token })(), 200);
  // Nothing for Anna goes to either phone, and what Anna's phone gets is not tagged for her.
  await scene.assertAtRest({ own: [[token, 'mallory']], recv: { anna: [] } });
  assert.equal(await scene.hold(mallorysToken), null);
  const [push] = await scene.pushesBy(() => scene.backEnd.sendToUsers(['mallory']));
  assert.ok(push !== undefined);
  assert.notEqual(addressee(push), annas.tagOf('anna'));

  const checkedIn = await answered(annas.token(token, 1)(), 200);
  assert.equal(checkedIn.body['installation']?.['token'], null);
  const refused = await annas.token(token, 3)();
  assertProblem(refused, 'token_held');
  await answered(annas.token(token, 3, refused.body['nonce'])(), 200);
  await scene.assertAtRest({ own: [[token, 'anna']], recv: { anna: [token], mallory: [] } });
  const moved = `Token ${fingerprint(token)} moved to another installation.`;
  for (const phone of [annas, mallorys]) {
    const lines = await scene.backEnd.timeline(phone.id);
    assert.equal(lines.filter((line) => line === moved).length, 1);
  }
  assert.deepEqual(
    (await scene.auditedMoves()).map(({ actor }) => actor),
    ['sdk', 'sdk'],
  );
});

scenario('S37 without its secret nobody reads, changes or ends an installation', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  const { phone: stranger } = await scene.enrolled(fcmToken());
  const before = await scene.backEnd.installation(phone.id);
  const unknown = randomUUID();
  const secrets = { none: undefined, wrong: 'x'.repeat(43), foreign: stranger.secret };
  for (const secret of Object.values(secrets)) {
    for (const [method, path, body] of [
      ['GET', ''],
      ['PUT', '', { seq: 9, token: apnsToken() }],
      ['PUT', '', { seq: 9, user: null }],
      ['PUT', '', { seq: 9, device: { label: 'mine' } }],
      ['DELETE', '/user?seq=9'],
      ['DELETE', ''],
    ] as const) {
      const ask = (id: string) =>
        request(`${scene.nextServer()}/v1/installations/${id}${path}`, {
          method,
          body,
          headers: {
            authorization: `Bearer ${scene.app.publishableKey}`,
            ...(secret !== undefined && { 'homing-installation-secret': secret }),
          },
        });
      const answer = await ask(phone.id);
      assertProblem(answer, 'invalid_credentials');
      // With a secret, a packet under an id that nobody has would make that installation.
      if (method === 'PUT' && secret !== undefined) continue;
      assert.deepEqual(
        letters(await ask(unknown)),
        letters(answer),
        'an unknown id looks the same',
      );
    }
  }
  assert.deepEqual(await scene.backEnd.installation(phone.id), before);
  await scene.assertAtRest({ own: [[token, 'anna']], recv: { anna: [token] } });
});

scenario('S37 ids that count up are no ids', async (scene) => {
  for (const id of ['1', '2', '00000000-0000-0000-0000-000000000001', '../users/anna']) {
    const guess = scene.phone({ ...freshStorage(), id });
    const answer = await guess.request('GET', '');
    assert.ok([401, 404, 422].includes(answer.status), JSON.stringify(answer.body));
  }
});

scenario('S39 a logout in one app touches the same token of no other', async (scene) => {
  const { value } = apnsToken();
  const production = { provider: 'apns', value, environment: 'production' } as const;
  const sandbox = { provider: 'apns', value, environment: 'sandbox' } as const;
  const other = await scene.inAnotherApp();
  const { phone } = await scene.signedIn('anna', production);
  const rest = [
    { of: scene, phone: await signedInWith(scene, sandbox) },
    { of: other, phone: await signedInWith(other, production) },
    { of: other, phone: await signedInWith(other, sandbox) },
  ];
  const before = await Promise.all(rest.map((one) => one.of.backEnd.installation(one.phone.id)));
  await answered(phone.signOut(3)(), 204);
  assert.equal(await scene.userOf(phone), null);
  const later = await Promise.all(rest.map((one) => one.of.backEnd.installation(one.phone.id)));
  assert.deepEqual(later, before);
  await scene.assertAtRest({ recv: { anna: [sandbox] } });
  await other.assertAtRest({ recv: { anna: [production, sandbox] } });
});

for (const crossing of CROSSINGS) {
  scenario(
    `S24 the former app’s refresh crosses the new one’s login: ${crossing}`,
    async (scene) => {
      const { phone: former, token } = await scene.signedIn('anna');
      await scene.later();
      const phone = scene.phone();
      const [login, refresh] = await cross(
        scene,
        crossing,
        former,
        phone.signIn('ben', 1, { token }),
        former.token(token, 3),
      );
      assert.equal(login.status, 201);
      // First it confirmed what it still held; later it is told that somebody else has it.
      if (refresh.status !== 200) assertProblem(refresh, 'token_held');
      assert.equal((await scene.hold(token))?.['id'], phone.id);
      await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
    },
  );

  scenario(`S29 two copies use one sequence: ${crossing}`, async (scene) => {
    const { phone: original, token } = await scene.signedIn('anna');
    const copy = scene.phone(original);
    const copysToken = apnsToken();
    const answers = await cross(
      scene,
      crossing,
      original,
      original.token(token, 3),
      copy.token(copysToken, 3),
    );
    const refused = answers.filter(({ status }) => status !== 200);
    assert.equal(refused.length, 1);
    for (const answer of refused) assertProblem(answer, 'installation_forked');
    const kept = answers[0].status === 200 ? token : copysToken;
    await scene.assertAtRest({ own: [[kept, 'anna']], recv: { anna: [kept] } });
  });
}

scenario('S44 an owner who never left does not keep the next one out', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  // No time passes: within one installation the sequence decides, not the age of the assertion.
  const issuedAt = new Date(scene.network.clock.now().getTime() - 30_000);
  await answered(phone.signIn('ben', 3, { issuedAt })(), 200);
  await scene.assertAtRest({ own: [[token, 'ben']], recv: { anna: [], ben: [token] } });
});

/** An answer without what is of its request, or of the server that was asked, alone. */
function letters({ status, body }: Answer) {
  const { instance: _, type: __, ...rest } = body;
  return { status, rest };
}

async function signedInWith(scene: Scene, token: Token): Promise<Phone> {
  return (await scene.signedIn('anna', token)).phone;
}
