import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { createFrozenClock } from '../../../../test/clock.ts';
import { apnsToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';

/**
 * What comes twice, or too late, around logins and logouts. Time stands still, because proofs count
 * in seconds: whether one is newer than another must not depend on how fast the test runs.
 */
const network = await startNetwork({ role: 'api', clock: createFrozenClock() });
after(() => network[Symbol.asyncDispose]());

async function enrolled(userId?: string): Promise<Device> {
  const phone = network.device();
  assertAnswered(await phone.register(apnsToken(), userId), 201);
  return phone;
}

function read(phone: Device): Promise<AnswerBody> {
  return network.backEnd.installation(phone.id);
}

async function userOf(phone: Device): Promise<unknown> {
  return (await read(phone))['user']?.['id'] ?? null;
}

async function countLines(phone: Device, pattern: RegExp): Promise<number> {
  return (await network.backEnd.timeline(phone.id)).filter((line) => pattern.test(line)).length;
}

test('the repetition of a refused login is refused again, and told of once', async () => {
  const phone = await enrolled('anna');
  const packet = { seq: phone.nextSeq(), user: { id: 'ben', assertion: 'x.y.z' } };
  for (let repetition = 0; repetition < 3; repetition += 1) {
    assertProblem(await phone.sync(packet), 'assertion_invalid');
    assert.equal(await userOf(phone), null);
  }
  assert.equal(await countLines(phone, /refused/), 1);
});

test('under the same sequence a good proof signs in whom a bad one did not', async () => {
  const phone = await enrolled('anna');
  const seq = phone.nextSeq();
  assertProblem(await phone.sync({ seq, user: { id: 'ben' } }), 'assertion_invalid');
  const user = { id: 'ben', assertion: await phone.assertion('ben') };
  for (let repetition = 0; repetition < 2; repetition += 1) {
    assertAnswered(await phone.sync({ seq, user }), 200);
    assert.equal(await userOf(phone), 'ben');
  }
});

test('a repetition ends no link that a back end made since', async () => {
  const phone = await enrolled('anna');
  const packet = { seq: phone.nextSeq(), user: { id: 'anna', assertion: 'old' } };
  assertAnswered(await phone.sync(packet), 200);
  const path = `/v1/installations/${phone.id}`;
  assertAnswered(await network.backEnd.request('PUT', path, { user: { id: 'ben' } }), 200);
  assertProblem(await phone.sync(packet), 'assertion_invalid');
  assert.equal(await userOf(phone), 'ben');
  const logout = { seq: phone.nextSeq(), user: null };
  assertAnswered(await phone.sync(logout), 200);
  assertAnswered(await network.backEnd.request('PUT', path, { user: { id: 'ben' } }), 200);
  assertAnswered(await phone.sync(logout), 200);
  assert.equal(await userOf(phone), 'ben');
});

test('no login from before undoes a logout that came without a sequence', async () => {
  const phone = await enrolled();
  const late = {
    seq: phone.nextSeq(),
    user: { id: 'anna', assertion: await phone.assertion('anna') },
  };
  assertAnswered(await phone.request('DELETE', '/user'), 204);
  assertProblem(await phone.sync(late), 'assertion_invalid');
  assert.equal(await userOf(phone), null);
  network.clock.advance(1_000);
  assertAnswered(await phone.signIn('anna'), 200);
});

test('a logout under the sequence of the login signs out, and stays so', async () => {
  const phone = await enrolled();
  const login = {
    seq: phone.nextSeq(),
    user: { id: 'anna', assertion: await phone.assertion('anna') },
  };
  assertAnswered(await phone.sync(login), 200);
  const answer = await phone.request('DELETE', `/user?seq=${login.seq}`);
  assertAnswered(answer, 204);
  assert.equal(answer.headers.get('homing-seq'), String(login.seq));
  assert.equal(await userOf(phone), null);
  assertProblem(await phone.sync(login), 'assertion_invalid');
  assert.equal(await userOf(phone), null);
  assert.equal((await read(phone))['seq']?.['user'], login.seq);
});

test('a late packet is told of once, however often it comes', async () => {
  const phone = await enrolled();
  assertAnswered(await phone.sync({ seq: 20, device: { label: 'new' } }), 200);
  for (let repetition = 0; repetition < 3; repetition += 1) {
    assertAnswered(await phone.sync({ seq: 19, device: { label: 'old' } }), 200);
  }
  assert.equal(await countLines(phone, /late|newer|older|overtaken|supersed/i), 1);
});

test('a user whom a refused packet names is not made known', async () => {
  const holder = await enrolled();
  const token = apnsToken();
  assertAnswered(await holder.sync({ token }), 200);
  assertProblem(await network.device().register(token, 'ghost-of-a-claim'), 'token_held');
  const late = { id: 'ghost-of-the-past', assertion: await holder.assertion('ghost-of-the-past') };
  assertAnswered(await holder.sync({ seq: 90, user: null }), 200);
  assertAnswered(await holder.sync({ seq: 80, user: late }), 200);
  const rows = await network.homing.db`select id from app_user where id like 'ghost%'`;
  assert.deepEqual([...rows], []);
});

test('a written check-in confirms the token, so that an older death does not count', async () => {
  const phone = network.device();
  const packet = { seq: phone.nextSeq(), token: apnsToken() };
  assertAnswered(await phone.sync(packet), 201);
  network.clock.advance(8 * 3_600_000);
  const answer = await phone.sync(packet);
  assertAnswered(answer, 200);
  const installation = answer.body['installation'];
  assert.equal(installation?.['token']?.['confirmed_at'], installation?.['last_seen_at']);
});

test('a call token from before a logout does not come back late', async () => {
  const phone = await enrolled('anna');
  const path = '/purpose-tokens/voip?seq=';
  assertAnswered(await phone.request('PUT', `${path}10`, { value: '0c'.repeat(32) }), 200);
  assertAnswered(await phone.signOut(), 204);
  for (const seq of [9, 10]) {
    const late = await phone.request('PUT', `${path}${seq}`, { value: '0c'.repeat(32) });
    assert.deepEqual(late.body, { applied: false, seq: 10 });
  }
  const next = await phone.request('PUT', `${path}11`, { value: '0c'.repeat(32) });
  assert.deepEqual(next.body, { applied: true, seq: 11 });
});

test('an unreadable assertion is called an assertion, not a body', async () => {
  const phone = await enrolled();
  const twice = Buffer.from('{"alg":"ES256","alg":"none"}').toString('base64url');
  const deep = Buffer.from('['.repeat(30)).toString('base64url');
  const binary = Buffer.from([0xff, 0xfe]).toString('base64url');
  for (const header of [twice, deep, binary]) {
    const answer = await phone.sync({ user: { id: 'anna', assertion: `${header}.e30.x` } });
    assertProblem(answer, 'assertion_invalid');
    assert.doesNotMatch(JSON.stringify(answer.body['detail']), /body/);
  }
});
