import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import type { AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { Device, fcmToken } from '../../../../test/device.ts';
import { fingerprint } from '../../../../test/fingerprint.ts';
import type { AssertionOptions } from '../../../../test/issuer.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';

/** Rules R4 and R6: who may be linked, and what a packet with a bad proof still does. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());

function assertion(phone: Device, userId: string, options: AssertionOptions = {}): Promise<string> {
  return network.issuer.sign(network.app.id, userId, { installationId: phone.id, ...options });
}

async function signIn(phone: Device, id: string, proof?: string) {
  return phone.sync({ user: { id, assertion: proof ?? (await assertion(phone, id)) } });
}

async function signedIn(id: string): Promise<Device> {
  const phone = network.device();
  assertAnswered(await phone.register(fcmToken(), id), 201);
  return phone;
}

function read(phone: Device): Promise<AnswerBody> {
  return network.backEnd.installation(phone.id);
}

async function userOf(phone: Device): Promise<unknown> {
  return (await read(phone))['user']?.['id'] ?? null;
}

const BAD_PROOFS: Readonly<Record<string, (phone: Device) => Promise<object>>> = {
  none: async () => ({}),
  forged: async () => ({ assertion: 'eyJhbGciOiJub25lIn0.e30.' }),
  'for another user': async (phone) => ({ assertion: await assertion(phone, 'cleo') }),
  'for another installation': async () => ({
    assertion: await assertion(network.device(), 'ben'),
  }),
  expired: async (phone) => ({
    assertion: await assertion(phone, 'ben', { issuedAt: new Date(Date.now() - 3_600_000) }),
  }),
  'a signature instead': async () => ({ signature: 'a'.repeat(64) }),
};

for (const [title, proof] of Object.entries(BAD_PROOFS)) {
  test(`a bad proof (${title}) signs the old user out, and loses no subscription`, async () => {
    const phone = await signedIn('anna');
    const token = fcmToken();
    const seq = phone.nextSeq();
    const packet = { seq, token, device: { label: 'handed on' }, permission: 'granted' };
    const answer = await phone.sync({ ...packet, user: { id: 'ben', ...(await proof(phone)) } });
    assertProblem(answer, 'assertion_invalid');
    assert.deepEqual(answer.body['applied'], { token: true, user: true, device: true });
    const later = await read(phone);
    assert.equal(later['user'], null);
    assert.equal(later['last_user']?.['ended_by'], 'switched');
    assert.equal(later['token']?.['masked'], fingerprint(token));
    assert.equal(later['device']?.['label'], 'handed on');
    assert.deepEqual(
      [later['seq']?.['token'], later['seq']?.['user'], later['seq']?.['device']],
      [seq, seq, seq],
    );
    // The sequence is used up, so a late packet of the old user stays late.
    const late = await phone.sync({ seq: seq - 1, user: { id: 'anna' } });
    assert.deepEqual(late.body['reason'], { user: 'superseded' });
    assertAnswered(await signIn(phone, 'ben'), 200);
    assert.equal(await userOf(phone), 'ben');
  });
}

test('who is signed in already needs no proof, and none is looked at', async () => {
  const phone = await signedIn('anna');
  for (const proof of ['', 'forged', await assertion(phone, 'ben'), undefined]) {
    const user = { id: 'anna', ...(proof !== undefined && { assertion: proof }) };
    assertAnswered(await phone.sync({ user }), 200);
    assert.equal(await userOf(phone), 'anna');
  }
});

test('an assertion binds once: not after a logout, not after a switch, not elsewhere', async () => {
  const phone = network.device();
  const proof = await assertion(phone, 'anna');
  assertAnswered(await phone.sync({ user: { id: 'anna', assertion: proof } }), 201);
  assertAnswered(await phone.signOut(), 204);
  assertProblem(await signIn(phone, 'anna', proof), 'assertion_invalid');
  assertAnswered(await signIn(phone, 'ben'), 200);
  assertProblem(await signIn(phone, 'anna', proof), 'assertion_invalid');
  // What was used here before tells nothing about who is here now; what is forged does.
  assert.equal(await userOf(phone), 'ben');
  assertProblem(await signIn(phone, 'anna', 'forged'), 'assertion_invalid');
  assert.equal(await userOf(phone), null);
});

test('an assertion that nobody needed is used up, and undoes no later logout or switch', async () => {
  const phone = await signedIn('anna');
  const unneeded = await assertion(phone, 'anna');
  assertAnswered(await signIn(phone, 'anna', unneeded), 200);
  assertAnswered(await phone.signOut(), 204);
  assertProblem(await signIn(phone, 'anna', unneeded), 'assertion_invalid');
  assert.equal(await userOf(phone), null);
  assertAnswered(await signIn(phone, 'ben'), 200);
  assertProblem(await signIn(phone, 'anna', unneeded), 'assertion_invalid');
  assert.equal(await userOf(phone), 'ben');
});

test('a check-in uses no assertion up and costs no row', async () => {
  const phone = network.device();
  const user = { id: 'anna', assertion: await assertion(phone, 'anna') };
  const seq = phone.nextSeq();
  assertAnswered(await phone.sync({ seq, user }), 201);
  const fresh = await assertion(phone, 'anna');
  assertAnswered(await phone.sync({ seq, user: { id: 'anna', assertion: fresh } }), 200);
  assertAnswered(await phone.signOut(), 204);
  assertAnswered(await signIn(phone, 'anna', fresh), 200);
});

test('an assertion without a jti binds once as well', async () => {
  const phone = network.device();
  const proof = await assertion(phone, 'anna', { jti: '' });
  assertAnswered(await phone.sync({ user: { id: 'anna', assertion: proof } }), 201);
  assertAnswered(await phone.signOut(), 204);
  assertProblem(await signIn(phone, 'anna', proof), 'assertion_invalid');
});

test('a jti that was used by one user serves no other', async () => {
  const [first, second] = [network.device(), network.device()];
  const jti = randomUUID();
  assertAnswered(await signIn(first, 'anna', await assertion(first, 'anna', { jti })), 201);
  const proof = await assertion(second, 'ben', { jti });
  assertProblem(await signIn(second, 'ben', proof), 'assertion_invalid');
});

test('two tabs: an old cached assertion does not bring the old user back', async () => {
  const phone = network.device();
  const cached = await assertion(phone, 'anna');
  assertAnswered(await signIn(phone, 'anna', cached), 201);
  assertAnswered(await signIn(phone, 'ben'), 200);
  assertProblem(await signIn(phone, 'anna', cached), 'assertion_invalid');
  assert.notEqual(await userOf(phone), 'anna');
});

test('a tab that was left open for a week, and repeats its sign-in, signs nobody out', async () => {
  const phone = network.device();
  const cached = await assertion(phone, 'anna');
  const unused = await assertion(phone, 'cleo');
  assertAnswered(await signIn(phone, 'anna', cached), 201);
  assertAnswered(await signIn(phone, 'ben'), 200);
  network.clock.advance(7 * 86_400_000);
  await network.homing.maintenance.run();
  const rows = await network.homing.db`select 1 from proof`;
  assert.equal(rows.length, 0);
  const late = await signIn(phone, 'anna', cached);
  assertProblem(late, 'assertion_invalid');
  assert.equal(await userOf(phone), 'ben');
  // For somebody who never was there, an old assertion is a half switch like any bad proof.
  assertProblem(await signIn(phone, 'cleo', unused), 'assertion_invalid');
  assert.equal(await userOf(phone), null);
});

test('within an installation the sequence orders, not the clock of the issuer', async () => {
  const phone = await signedIn('anna');
  const earlier = new Date(network.clock.now().getTime() - 120_000);
  const proof = await assertion(phone, 'ben', { issuedAt: earlier });
  assertAnswered(await signIn(phone, 'ben', proof), 200);
  assert.equal(await userOf(phone), 'ben');
});

test('a revocation refuses every assertion up to its second, and none after', async () => {
  const phone = await signedIn('dora');
  const cached = await assertion(phone, 'dora');
  const elsewhere = network.device();
  const cachedElsewhere = await assertion(elsewhere, 'dora');
  const revoked = await network.backEnd.request('POST', '/v1/users/dora/revoke', {});
  assert.deepEqual(revoked.body, { signed_out: 1 });
  assert.equal(await userOf(phone), null);
  assertProblem(await signIn(phone, 'dora', cached), 'assertion_invalid');
  assertProblem(await signIn(elsewhere, 'dora', cachedElsewhere), 'assertion_invalid');
  network.clock.advance(1_000);
  assertAnswered(await signIn(phone, 'dora'), 200);
  assert.equal((await read(phone))['user']?.['id'], 'dora');
});

for (const end of ['revoked', 'erased'] as const) {
  test(`a login that races with its user being ${end} never outlives that`, async (t) => {
    let refused = 0;
    for (let round = 0; round < 60; round += 1) {
      const id = `racer-${end}-${round}`;
      const [phone, other] = [network.device(), await signedIn(id)];
      const proof = await assertion(phone, id);
      const path = `/v1/users/${id}`;
      const [login, ending] = await Promise.all([
        signIn(phone, id, proof),
        end === 'revoked'
          ? network.backEnd.request('POST', `${path}/revoke`, {})
          : network.backEnd.request('DELETE', path),
      ]);
      assert.ok([201, 401].includes(login.status), JSON.stringify(login.body));
      assert.ok(ending.status < 300, JSON.stringify(ending.body));
      assert.deepEqual([await userOf(phone), await userOf(other)], [null, null], `round ${round}`);
      refused += login.status === 401 ? 1 : 0;
    }
    t.diagnostic(`${refused} of 60 logins came second`);
  });
}

test('a revocation of a user whom nobody knows yet counts all the same', async () => {
  const phone = network.device();
  const proof = await assertion(phone, 'early');
  assertAnswered(await network.backEnd.request('POST', '/v1/users/early/revoke', {}), 200);
  assertProblem(await signIn(phone, 'early', proof), 'assertion_invalid');
});

test('a revocation by name leaves the other installations, and their assertions', async () => {
  const [lost, kept] = [await signedIn('emil'), await signedIn('emil')];
  const stranger = await signedIn('fritz');
  const body = { installations: [lost.id.toUpperCase(), stranger.id, randomUUID()] };
  const answer = await network.backEnd.request('POST', '/v1/users/emil/revoke', body);
  assert.deepEqual(answer.body, { signed_out: 1 });
  assert.deepEqual(
    [await userOf(lost), await userOf(kept), await userOf(stranger)],
    [null, 'emil', 'fritz'],
  );
  assert.equal((await read(lost))['last_user']?.['ended_by'], 'revoked');
  const fresh = network.device();
  assertAnswered(await signIn(fresh, 'emil'), 201);
});

test('a logout by the back end refuses the assertions from before on that installation', async () => {
  const phone = await signedIn('gina');
  const cached = await assertion(phone, 'gina');
  const path = `/v1/installations/${phone.id}/user`;
  assertAnswered(await network.backEnd.request('DELETE', path), 204);
  assertProblem(await signIn(phone, 'gina', cached), 'assertion_invalid');
  const elsewhere = network.device();
  assertAnswered(await signIn(elsewhere, 'gina'), 201);
  network.clock.advance(1_000);
  assertAnswered(await signIn(phone, 'gina'), 200);
});

test("a back end's write needs no proof, moves no sequence, and outranks assertions from before", async () => {
  const phone = await signedIn('anna');
  const cached = await assertion(phone, 'anna');
  const before = (await read(phone))['seq'];
  const put = (body: unknown) =>
    network.backEnd.request('PUT', `/v1/installations/${phone.id}`, body);
  assertAnswered(await put({ user: { id: 'ben' }, device: { label: 'by back end' } }), 200);
  assertAnswered(await put({ seq: 900, tags: { plan: 'pro' } }), 200);
  const later = await read(phone);
  assert.deepEqual(later['seq'], before);
  assert.equal(later['user']?.['id'], 'ben');
  assert.equal(later['device']?.['label'], 'by back end');
  assertProblem(await signIn(phone, 'anna', cached), 'assertion_invalid');
  network.clock.advance(1_000);
  assertAnswered(await signIn(phone, 'anna'), 200);
});

test('with identity off a name is enough, and a bad assertion is still a bad one', async () => {
  const app = await network.provision({ name: 'Development', identity: 'off' });
  const phone = new Device(network.url, app, network.issuer);
  assertAnswered(await phone.sync({ user: { id: 'anna' } }), 201);
  assertAnswered(await phone.sync({ user: { id: 'ben' } }), 200);
  const answer = await phone.sync({ user: { id: 'cleo', assertion: 'forged' } });
  assertProblem(answer, 'assertion_invalid');
  assert.equal(answer.body['seq']?.['user'], 3);
});

test('user ids that look alike are different users', async () => {
  const ids = ['Anna', 'anna', 'ANNA', 'anna ', ' anna', 'Zo\u00eb', 'Zoe\u0308', '\u0430nna'];
  for (const id of ids) assertAnswered(await signIn(network.device(), id), 201);
  const rows = await network.homing.db<{ id: string }[]>`
    select id from app_user where id = any(${ids})
      and app_ref = (select app_ref from app where id = ${network.app.id.slice(4)})`;
  assert.deepEqual(new Set(rows.map((row) => row.id)), new Set(ids));
  assert.equal(new Set(ids).size, ids.length);
});

test('after a removal the id answers that it is gone, and the token is free', async () => {
  const phone = await signedIn('anna');
  const token = fcmToken();
  assertAnswered(await phone.sync({ token }), 200);
  for (let repetition = 0; repetition < 2; repetition += 1) {
    assertAnswered(await phone.request('DELETE', ''), 204);
  }
  assertProblem(await phone.sync({ token }), 'installation_removed');
  assertProblem(await phone.request('GET', ''), 'installation_removed');
  assertProblem(await phone.signOut(), 'installation_removed');
  const stored = await read(phone);
  assert.equal(stored['status'], 'removed');
  assert.equal(stored['last_user']?.['ended_by'], 'removed');
  assertAnswered(await network.device().register(token, 'ben'), 201);
  const removed = await network.backEnd.get('/v1/installations?user_id=anna');
  assert.ok(!JSON.stringify(removed.body).includes(phone.id));
});
