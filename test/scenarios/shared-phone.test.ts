import assert from 'node:assert/strict';
import { createLogger } from '@homing/server';
import { assertProblem } from '../../packages/server/test/http/assert-problem.ts';
import { SimpleClient } from '../../packages/server/test/http/simple-client.ts';
import type { Answer, AnswerBody } from '../answer.ts';
import { apnsToken, fcmToken } from '../device.ts';
import type { Phone, Token } from './phone.ts';
import { openScenarios } from './scenario.ts';
import { addressee, answered, superseded, type Enrolled, type Scene } from './scene.ts';

/** Group F: apps that let several users be signed in on one installation (rule R13). */
const scenario = await openScenarios({ logger: createLogger('silent') });

const MINUTE_MS = 60_000;

async function switchTo(scene: Scene, mode: 'exclusive' | 'multi', query = ''): Promise<Answer> {
  return scene.backEnd.request('PATCH', `/v1/app${query}`, { account_mode: mode });
}

/** The phone says who is all signed in; by default each of them with a fresh assertion. */
async function signIn(
  phone: Phone,
  seq: number,
  ids: readonly string[],
  proven: readonly string[] = ids,
): Promise<Answer> {
  const users = await Promise.all(
    ids.map(async (id) => ({
      id,
      ...(proven.includes(id) && { assertion: await phone.assertion(id) }),
    })),
  );
  return phone.packet({ seq, users })();
}

function signOutOne(phone: Phone, seq: number, id: string): Promise<Answer> {
  return phone.request('DELETE', `/users/${id}?seq=${seq}`);
}

function usersIn(body: AnswerBody | undefined): readonly string[] {
  const users = body?.['users'] as readonly { readonly id: string }[] | undefined;
  return users?.map(({ id }) => id) ?? [];
}

async function usersOf(scene: Scene, phone: Phone): Promise<readonly string[]> {
  return usersIn(await scene.backEnd.installation(phone.id));
}

/** An app with several users for each phone, and a phone on which these are signed in. */
async function shared(
  scene: Scene,
  ids: readonly string[],
): Promise<Enrolled<ReturnType<typeof apnsToken>>> {
  assert.equal((await switchTo(scene, 'multi')).status, 200);
  const enrolled = await scene.enrolled();
  const answer = await answered(signIn(enrolled.phone, 2, ids), 200);
  assert.deepEqual(usersIn(answer.body['installation']), ids);
  return enrolled;
}

async function assertReached(scene: Scene, phone: Phone, token: Token, ids: readonly string[]) {
  for (const id of ids) {
    const pushes = await scene.pushesBy(() => scene.backEnd.sendToUsers([id]));
    assert.deepEqual(pushes.map(addressee), [phone.tagOf(id)], id);
  }
  await scene.assertAtRest({ recv: Object.fromEntries(ids.map((id) => [id, [token]])) });
}

scenario('S84 two users of one phone each get their own pushes', async (scene) => {
  const { phone, token } = await shared(scene, ['anna', 'ben']);
  await assertReached(scene, phone, token, ['anna', 'ben']);
  assert.notEqual(phone.tagOf('anna'), phone.tagOf('ben'));
  // One message to both: a push for each, which do not replace each other.
  const both = await scene.pushesBy(() =>
    scene.backEnd.sendToUsers(['anna', 'ben'], undefined, { options: { collapse_key: 'order' } }),
  );
  const tags = new Set([phone.tagOf('anna'), phone.tagOf('ben')]);
  assert.deepEqual(new Set(both.map(addressee)), tags);
  for (const header of ['apns-id', 'apns-collapse-id']) {
    assert.equal(new Set(both.map(({ headers }) => headers[header])).size, 2, header);
  }
  // What is for the device comes once.
  const general = await scene.pushesBy(() =>
    scene.backEnd.send({ audience: { installations: [phone.id] }, content: { title: 'To all' } }),
  );
  assert.deepEqual(general.map(addressee), [null]);
});

scenario('S86 when the last account is removed nobody is left', async (scene) => {
  const { phone, token } = await shared(scene, ['anna', 'ben']);
  await answered(signOutOne(phone, 3, 'anna'), 204);
  await answered(signOutOne(phone, 4, 'ben'), 204);
  assert.deepEqual(await usersOf(scene, phone), []);
  assert.equal((await scene.hold(token))?.['status'], 'signed_out');
  await scene.assertAtRest({ recv: { anna: [], ben: [] } });
});

scenario('S87 one account is removed offline and the other goes on', async (scene) => {
  const { phone, token } = await shared(scene, ['anna', 'ben']);
  // Nothing told the server yet. What it sends says whose it is, so that the phone can refuse hers.
  await assertReached(scene, phone, token, ['anna', 'ben']);
  await scene.later(2 * 60 * MINUTE_MS);
  const answer = await answered(signOutOne(phone, 3, 'anna'), 204);
  assert.equal(answer.headers.get('homing-seq'), '3');
  // Once more, as after a lost answer; and again, when it is long over.
  await answered(signOutOne(phone, 3, 'anna'), 204);
  await answered(signOutOne(phone, 4, 'anna'), 204);
  assert.deepEqual(await usersOf(scene, phone), ['ben']);
  await scene.assertAtRest({ recv: { anna: [] } });
  await assertReached(scene, phone, token, ['ben']);
});

scenario('a late set of users does not bring back who was removed', async (scene) => {
  const { phone, token } = await shared(scene, ['anna', 'ben']);
  await answered(signOutOne(phone, 4, 'anna'), 204);
  await superseded(signIn(phone, 3, ['anna', 'ben']), 'user');
  assert.deepEqual(await usersOf(scene, phone), ['ben']);
  // A late removal is late as well: meanwhile the phone said that both are there.
  await answered(signIn(phone, 6, ['anna', 'ben']), 200);
  await answered(signOutOne(phone, 5, 'ben'), 204);
  await assertReached(scene, phone, token, ['anna', 'ben']);
});

scenario('who is not named any more leaves; who is needs no proof', async (scene) => {
  const { phone, token } = await shared(scene, ['anna', 'ben']);
  await answered(signIn(phone, 3, ['ben', 'cleo'], ['cleo']), 200);
  await scene.assertAtRest({ recv: { anna: [] } });
  await assertReached(scene, phone, token, ['ben', 'cleo']);
  const installation = await scene.backEnd.installation(phone.id);
  assert.deepEqual(
    [installation['last_user']?.['id'], installation['last_user']?.['ended_by']],
    ['anna', 'logout'],
  );
  await answered(phone.signOut(4)(), 204);
  await scene.assertAtRest({ recv: { ben: [], cleo: [] } });
});

scenario('a bad proof keeps its own user out, and nobody else', async (scene) => {
  const { phone, token } = await shared(scene, ['anna']);
  const refused = await signIn(phone, 3, ['anna', 'mallory', 'ben'], ['ben']);
  assertProblem(refused, 'assertion_invalid');
  assert.deepEqual(refused.body['refused_users'], ['mallory']);
  assert.deepEqual(await usersOf(scene, phone), ['anna', 'ben']);
  await scene.assertAtRest({ recv: { mallory: [] } });
  await assertReached(scene, phone, token, ['anna', 'ben']);
});

scenario('pushes that wait do not reach a user who was removed meanwhile', async (scene) => {
  const { phone, token } = await shared(scene, ['anna', 'ben']);
  const { apns } = scene.network;
  // Named, because our own delay is jittered: the retry might come due in the first drain.
  const fault = {
    kind: 'answer',
    status: 503,
    reason: 'ServiceUnavailable',
    retryAfterSeconds: 30,
  } as const;
  apns.faults.schedule({ times: 2, match: { token: token.value }, fault });
  const id = await scene.backEnd.sendToUsers(['anna', 'ben']);
  await scene.network.drain();
  assert.equal((await scene.backEnd.report(id))['counts']?.['retrying'], 2);
  await answered(signOutOne(phone, 3, 'anna'), 204);
  const pushes = await scene.pushesBy(() => scene.later(5 * MINUTE_MS));
  assert.deepEqual(pushes.map(addressee), [phone.tagOf('ben')]);
  const { counts } = (await scene.backEnd.report(id)) as { counts?: AnswerBody };
  assert.deepEqual([counts?.['accepted'], counts?.['skipped']], [1, 1]);
});

scenario('signed out everywhere, and erased: the others on the phone stay', async (scene) => {
  const { phone, token } = await shared(scene, ['anna', 'ben', 'cleo']);
  const revoked = await scene.backEnd.request('POST', '/v1/users/anna/revoke', {});
  assert.deepEqual(revoked.body, { signed_out: 1 });
  await answered(scene.backEnd.request('DELETE', '/v1/users/ben'), 204);
  assert.deepEqual(await usersOf(scene, phone), ['cleo']);
  await scene.assertAtRest({ recv: { anna: [], ben: [] } });
  await assertReached(scene, phone, token, ['cleo']);
});

scenario('what belongs to one user ends with that user', async (scene) => {
  const { phone } = await shared(scene, ['anna', 'ben']);
  for (const id of ['anna', 'ben']) {
    const topic = { scope: 'user', user_id: id };
    await answered(phone.request('PUT', `/topics/for-${id}?seq=3`, topic), 200);
  }
  await answered(phone.request('PUT', '/topics/for-all?seq=3', { scope: 'device' }), 200);
  const packet = { seq: 3, tags: { plan: 'family' }, device_tags: { channel: 'beta' } };
  await answered(phone.packet(packet)(), 200);
  await answered(signOutOne(phone, 4, 'anna'), 204);
  const left = await scene.backEnd.installation(phone.id);
  assert.deepEqual(left['topics'], [
    { topic: 'for-all', scope: 'device' },
    { topic: 'for-ben', scope: 'user' },
  ]);
  // Nobody can tell whose the tags were.
  assert.deepEqual([left['tags'], left['device_tags']], [{}, { channel: 'beta' }]);
});

scenario('a call token ends with the last user', async (scene) => {
  const { phone } = await shared(scene, ['anna', 'ben']);
  const { value } = apnsToken();
  await answered(phone.request('PUT', '/purpose-tokens/voip?seq=3', { value }), 200);
  const heldBy = async (id: string): Promise<number> => {
    const exported = await answered(scene.backEnd.get(`/v1/users/${id}/export`), 200);
    return (exported.body['purpose_tokens'] as unknown as readonly unknown[]).length;
  };
  await answered(signOutOne(phone, 4, 'anna'), 204);
  assert.deepEqual([await heldBy('anna'), await heldBy('ben')], [0, 1]);
  await answered(signOutOne(phone, 5, 'ben'), 204);
  await scene.later();
  await answered(signIn(phone, 6, ['ben']), 200);
  assert.equal(await heldBy('ben'), 0);
});

scenario('a user finds the phone, and an export tells of nobody else', async (scene) => {
  const { phone } = await shared(scene, ['anna', 'ben']);
  for (const id of ['anna', 'ben']) {
    const listed = await answered(scene.backEnd.get(`/v1/installations?user_id=${id}`), 200);
    const found = listed.body['data'] as unknown as readonly AnswerBody[];
    assert.deepEqual(
      found.map((one) => one['id']),
      [phone.id],
    );
  }
  const exported = await answered(scene.backEnd.get('/v1/users/anna/export'), 200);
  assert.doesNotMatch(JSON.stringify(exported.body), /"ben"/);
});

scenario('a token that several users share is taken over with all of them left', async (scene) => {
  const { phone, token } = await shared(scene, ['anna', 'ben']);
  await scene.later();
  const next = scene.phone();
  const users = [{ id: 'cleo', assertion: await next.assertion('cleo') }];
  await answered(next.packet({ seq: 1, token, users })(), 201);
  assert.deepEqual(await usersOf(scene, phone), ['anna', 'ben']);
  await scene.assertAtRest({ recv: { anna: [], ben: [] } });
  await assertReached(scene, next, token, ['cleo']);
});

scenario('each kind of app says how it wants its users named', async (scene) => {
  const { phone } = await scene.signedIn('anna');
  const several = await signIn(phone, 3, ['anna', 'ben']);
  assertProblem(several, 'validation_failed');
  assert.match(JSON.stringify(several.body), /send \\"user\\"/);
  await switchTo(scene, 'multi');
  const one = await phone.signIn('ben', 4)();
  assertProblem(one, 'validation_failed');
  assert.match(JSON.stringify(one.body), /send \\"users\\"/);
  const both = { seq: 5, user: null, users: [] };
  assertProblem(await phone.packet(both)(), 'validation_failed');
  const twice = [{ id: 'anna' }, { id: 'anna' }];
  assertProblem(await phone.packet({ seq: 5, users: twice })(), 'validation_failed');
  const many = Array.from({ length: 21 }, (_, index) => ({ id: `user-${index}` }));
  assertProblem(await phone.packet({ seq: 5, users: many })(), 'validation_failed');
  // R6: the packet that named Ben alone came from somebody else, in whatever form it was.
  assert.deepEqual(await usersOf(scene, phone), []);
});

scenario('an app that lets more users in keeps all links', async (scene) => {
  const { phone, token } = await scene.signedIn('anna');
  const answer = await answered(switchTo(scene, 'multi'), 200);
  assert.deepEqual([answer.body['account_mode'], answer.body['ended']], ['multi', undefined]);
  await answered(signIn(phone, 3, ['anna', 'ben'], ['ben']), 200);
  await assertReached(scene, phone, token, ['anna', 'ben']);
});

scenario('logouts that cross on their way each sign out their own user', async (scene) => {
  const { phone, token } = await shared(scene, ['anna', 'ben', 'cleo']);
  await answered(signOutOne(phone, 4, 'anna'), 204);
  const late = await answered(signOutOne(phone, 3, 'ben'), 204);
  assert.equal(late.headers.get('homing-seq'), '4');
  assert.deepEqual(await usersOf(scene, phone), ['cleo']);
  await assertReached(scene, phone, token, ['cleo']);
  // A packet from before either of them brings nobody back, nor does a logout from before a login.
  await superseded(signIn(phone, 3, ['anna', 'ben', 'cleo']), 'user');
  await answered(signIn(phone, 6, ['anna', 'cleo']), 200);
  await answered(signOutOne(phone, 7, 'cleo'), 204);
  await answered(signOutOne(phone, 5, 'anna'), 204);
  assert.deepEqual(await usersOf(scene, phone), ['anna']);
});

scenario('an app that lets one user in keeps who is alone', async (scene) => {
  const { phone: crowded, token } = await shared(scene, ['anna', 'ben', 'cleo']);
  const alone = await scene.enrolled();
  await answered(signIn(alone.phone, 2, ['anna']), 200);
  const ended = { installations: 1, links: 3 };
  const dry = await answered(switchTo(scene, 'exclusive', '?dry_run=true'), 200);
  assert.deepEqual([dry.body['account_mode'], dry.body['ended']], ['multi', ended]);
  await assertReached(scene, crowded, token, ['ben', 'cleo']);
  const real = await answered(switchTo(scene, 'exclusive'), 200);
  assert.deepEqual([real.body['account_mode'], real.body['ended']], ['exclusive', ended]);
  await scene.assertAtRest({
    own: [
      [token, null],
      [alone.token, 'anna'],
    ],
    recv: { anna: [alone.token], ben: [], cleo: [] },
  });
  const lines = await scene.backEnd.timeline(crowded.id);
  assert.match(lines.at(-1) ?? '', /signed out/);
  // Assertions from before the switch bring nobody back; fresh ones do.
  await scene.later();
  await answered(crowded.signIn('ben', 3)(), 200);
  assert.equal(await scene.userOf(crowded), 'ben');
});

for (const [before, after] of [
  ['exclusive', 'multi'],
  ['multi', 'exclusive'],
] as const) {
  const title = `a phone that still speaks as before a switch to "${after}" keeps no former user`;
  scenario(title, async (scene) => {
    await switchTo(scene, before);
    const { phone } = await scene.enrolled();
    const packet = async (seq: number, id: string) => {
      const user = { id, assertion: await phone.assertion(id) };
      const named = before === 'multi' ? { users: [user] } : { user };
      return { seq, token: apnsToken(), ...named };
    };
    await answered(phone.packet(await packet(2, 'anna'))(), 200);
    await switchTo(scene, after);
    await scene.later();
    const next = await packet(3, 'ben');
    assertProblem(await phone.packet(next)(), 'validation_failed');
    assertProblem(await phone.packet(next)(), 'validation_failed');
    await scene.assertAtRest({
      own: [[next.token, null]],
      recv: { anna: [], ben: [] },
    });
    await switchTo(scene, before);
    await answered(phone.packet(next)(), 200);
    await scene.assertAtRest({ recv: { anna: [], ben: [next.token] } });
  });
}

scenario('a home-grown client can leave whatever the mode is', async (scene) => {
  const { network } = scene;
  const client = new SimpleClient(network.url, network.app);
  const body = { token: fcmToken().value, deviceId: 'a home-grown id' };
  const bearer = await network.issuer.sign(network.app.id, 'anna');
  await answered(client.register({ ...body, userId: 'anna' }, bearer), 200);
  await switchTo(scene, 'multi');
  await answered(client.register({ ...body, userId: null }, bearer), 200);
  await scene.assertAtRest({ recv: { anna: [] } });
});

scenario('a switch of the mode while phones sign in leaves no mixture', async (scene) => {
  const phones = await Promise.all(Array.from({ length: 12 }, () => scene.enrolled()));
  const modes = ['multi', 'exclusive', 'multi', 'exclusive'] as const;
  const statuses = new Set<number>();
  const load = phones.map(async ({ phone }, index) => {
    for (let seq = 2; seq < 14; seq += 1) {
      const ids = [`user-${index}`, `guest-${seq % 3}`];
      const answer = await (seq % 2 === 0
        ? signIn(phone, seq, ids)
        : phone.signIn(ids[seq % 4 === 1 ? 0 : 1] ?? '', seq)());
      statuses.add(answer.status);
    }
  });
  for (const mode of modes) await answered(switchTo(scene, mode), 200);
  await Promise.all(load);
  const expected = new Set([200, 401, 422]);
  assert.ok(
    [...statuses].every((status) => expected.has(status)),
    [...statuses].join(' '),
  );
  await answered(switchTo(scene, 'exclusive'), 200);
  assert.ok(statuses.has(200));
  const installations = phones.map(({ phone }) => phone.id);
  const { links: _, ...impossible } = await countLinks(scene, installations);
  assert.deepEqual(impossible, { mixed: 0, crowded: 0 });
  // Whoever spoke last in the form of the other mode was signed out, and everybody can sign in.
  await scene.later();
  for (const { phone } of phones) await answered(phone.signIn('anna', 20)(), 200);
  const links = await countLinks(scene, installations);
  assert.deepEqual(links, { links: phones.length, mixed: 0, crowded: 0 });
});

/** Open links, those of the other mode among them, and those for which the mode has no room. */
async function countLinks(scene: Scene, installations: readonly string[]) {
  const { db } = scene.network.homing;
  const [row] = await db<{ links: number; mixed: number; crowded: number }[]>`
    select count(*)::integer as links,
      count(*) filter (where l.exclusive <> (a.account_mode = 'exclusive'))::integer as mixed,
      (count(*) - count(distinct l.installation_ref)
        filter (where a.account_mode = 'exclusive'))::integer as crowded
    from link l join app a using (app_ref)
    where l.ended_at is null and l.installation_ref in (
      select installation_ref from installation where id = any(${[...installations]}::uuid[]))`;
  assert.ok(row !== undefined);
  return { ...row };
}
