import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import type { Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken, type Device } from '../../../../test/device.ts';
import { fingerprint } from '../../../../test/fingerprint.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { textOf } from '../http/text-of.ts';

/** Rules R1 and R3: a token has one holder, and moves only to who proves to be later or alive. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
// Hundreds of phones at one address: each test begins with all the enrolments that one may have.
beforeEach(() => network.clock.advance(600_000));
const { db } = network.homing;

type Token = ReturnType<typeof fcmToken>;

/** Who holds a token, of all installations of all apps. */
async function holders(token: { readonly value: string }): Promise<readonly string[]> {
  const rows = await db<{ id: string }[]>`
    select id from installation where token = ${token.value} and token_status <> 'retired'`;
  return rows.map(({ id }) => id);
}

async function read(phone: Device) {
  const body = await network.backEnd.installation(phone.id);
  return { token: body['token']?.['masked'] ?? null, user: body['user']?.['id'] ?? null };
}

async function holder(token: Token, userId?: string): Promise<Device> {
  const phone = network.device();
  assertAnswered(await phone.register(token, userId), 201);
  return phone;
}

/** A claim with an assertion that was issued so much after now. */
async function claim(phone: Device, token: Token, userId: string, laterMs: number) {
  return claimAt(phone, token, userId, new Date(network.clock.now().getTime() + laterMs));
}

async function claimAt(phone: Device, token: Token, userId: string, issuedAt: Date) {
  const options = { installationId: phone.id, issuedAt };
  const assertion = await network.issuer.sign(network.app.id, userId, options);
  return phone.sync({ token, user: { id: userId, assertion } });
}

test('S23 64 installations claim one token at once: one holds it, nothing fails', async (t) => {
  for (const round of ['anonymous', 'signed in']) {
    const token = fcmToken();
    const phones = Array.from({ length: 64 }, () => network.device());
    // Of one moment, because a newer one would take the token over.
    const issuedAt = network.clock.now();
    const answers = await Promise.all(
      phones.map((phone, index) =>
        round === 'anonymous'
          ? phone.register(token)
          : claimAt(phone, token, `user-${index}`, issuedAt),
      ),
    );
    const statuses = answers.map(({ status }) => status);
    assert.ok(
      statuses.every((status) => status === 201 || status === 409),
      statuses.join(' '),
    );
    for (const answer of answers.filter(({ status }) => status === 409)) {
      assertProblem(answer, 'token_held');
      assert.ok(answer.body['nonce']);
    }
    const held = await holders(token);
    assert.equal(held.length, 1);
    const winners = phones.filter((_, index) => statuses[index] === 201);
    assert.equal(winners.length, 1);
    assert.deepEqual(held, [winners[0]?.id]);
    t.diagnostic(`${round}: ${winners.length} × 201, ${64 - winners.length} × 409`);
  }
});

test('64 claims that may all take over leave one holder as well', async (t) => {
  const token = fcmToken();
  await holder(token, 'first');
  network.clock.advance(5_000);
  const phones = Array.from({ length: 64 }, () => network.device());
  const answers = await Promise.all(
    phones.map((phone, index) => claim(phone, token, `taker-${index}`, (index % 8) * 1_000)),
  );
  const statuses = answers.map(({ status }) => status);
  assert.ok(
    statuses.every((status) => status === 201 || status === 409),
    statuses.join(' '),
  );
  const held = await holders(token);
  assert.equal(held.length, 1);
  t.diagnostic(`${statuses.filter((status) => status === 201).length} takeovers`);
});

test('S42 crossed tokens, a hundred times at once: each has one holder, none is lost', async () => {
  const pairs = await Promise.all(
    Array.from({ length: 100 }, async () => {
      const tokens = [fcmToken(), fcmToken()] as const;
      const phones = [await holder(tokens[0], 'anna'), await holder(tokens[1], 'ben')] as const;
      return { tokens, phones };
    }),
  );
  network.clock.advance(5_000);
  const answers = await Promise.all(
    pairs.flatMap(({ tokens, phones }) => [
      // Both users again, with newer assertions: a plain claim of a linked user proves nothing.
      claim(phones[0], tokens[1], 'anna', 0),
      claim(phones[1], tokens[0], 'ben', 0),
    ]),
  );
  const statuses = answers.map(({ status }) => status);
  assert.deepEqual([...new Set(statuses)], [200]);
  for (const { tokens, phones } of pairs) {
    assert.deepEqual(await holders(tokens[0]), [phones[1].id]);
    assert.deepEqual(await holders(tokens[1]), [phones[0].id]);
  }
});

test('crossed tokens one after the other are swapped', async () => {
  const tokens = [fcmToken(), fcmToken()] as const;
  const phones = [await holder(tokens[0], 'anna'), await holder(tokens[1], 'ben')] as const;
  network.clock.advance(2_000);
  assertAnswered(await claim(phones[0], tokens[1], 'anna', 0), 200);
  assertAnswered(await claim(phones[1], tokens[0], 'ben', 0), 200);
  assert.deepEqual(await holders(tokens[0]), [phones[1].id]);
  assert.deepEqual(await holders(tokens[1]), [phones[0].id]);
});

test('a newer assertion takes a token over; the displaced keeps its user and has none', async () => {
  const token = apnsToken() as unknown as Token;
  const before = await holder(token, 'anna');
  network.clock.advance(1_000);
  const later = network.device();
  assertAnswered(await claim(later, token, 'ben', 0), 201);
  assert.deepEqual(await read(before), { token: null, user: 'anna' });
  assert.deepEqual(await read(later), { token: fingerprint(token), user: 'ben' });
  const lines = await network.backEnd.timeline(before.id);
  assert.match(lines.at(-1) ?? '', /moved to another installation/);
});

test('an assertion of the same second, an older one and none take the nonce', async () => {
  const claims: readonly ((phone: Device, token: Token) => Promise<Answer>)[] = [
    (phone, token) => claim(phone, token, 'ben', 0),
    (phone, token) => claim(phone, token, 'ben', -120_000),
    (phone, token) => phone.sync({ token }),
    (phone, token) => phone.sync({ token, user: null }),
    (phone, token) => phone.sync({ token, user: { id: 'ben', assertion: 'forged' } }),
  ];
  for (const attempt of claims) {
    const token = fcmToken();
    const before = await holder(token, 'anna');
    const phone = network.device();
    const answer = await attempt(phone, token);
    // The second of the wall clock changed in between, so that the assertion is a newer one.
    if (answer.status === 201) continue;
    assertProblem(answer, 'token_held');
    assert.deepEqual(await holders(token), [before.id]);
    const unknown = await network.backEnd.get(`/v1/installations/${phone.id}`);
    assertProblem(unknown, 'not_found');
  }
});

test('an assertion that was used takes no token back, although its user is still there', async () => {
  const [old, fresh] = [network.device(), network.device()];
  const token = fcmToken();
  // The issuer's clock is ahead, so that the assertion is newer than what happens next.
  const issuedAt = new Date(network.clock.now().getTime() + 50_000);
  const options = { installationId: old.id, issuedAt };
  const assertion = await network.issuer.sign(network.app.id, 'anna', options);
  const packet = { token, user: { id: 'anna', assertion } };
  assertAnswered(await old.sync(packet), 201);
  network.clock.advance(5_000);
  const claimed = { seq: fresh.nextSeq(), token };
  const held = await fresh.sync(claimed);
  assertProblem(held, 'token_held');
  assertAnswered(await fresh.sync({ ...claimed, takeover: held.body['nonce'] }), 201);
  network.clock.advance(5_000);
  assertProblem(await old.sync(packet), 'token_held');
  assert.deepEqual(await holders(token), [fresh.id]);
});

test('a refused claim applies nothing and uses no sequence; its repetition with the nonce does', async () => {
  const token = fcmToken();
  const before = await holder(token, 'anna');
  const later = network.device();
  assertAnswered(await later.sync({ seq: 1, device: { label: 'old' } }), 201);
  const packet = { seq: 2, token, device: { label: 'new' } };
  const refused = await later.sync(packet);
  assertProblem(refused, 'token_held');
  const state = await network.backEnd.installation(later.id);
  assert.equal(state['device']?.['label'], 'old');
  assert.equal(state['seq']?.['token'], null);
  const nonce = textOf(refused.body['nonce']);
  const answer = await later.sync({ ...packet, takeover: nonce });
  assertAnswered(answer, 200);
  assert.deepEqual(await holders(token), [later.id]);
  assert.deepEqual(await read(before), { token: null, user: 'anna' });
  // Once more, as after a lost answer: the same packet, the same answer.
  assert.deepEqual((await later.sync({ ...packet, takeover: nonce })).body, answer.body);
});

test('a nonce ends after a minute', async () => {
  const token = fcmToken();
  const before = await holder(token);
  const later = network.device();
  const refused = await later.sync({ seq: 1, token });
  const expiresAt = Date.parse(textOf(refused.body['expires_at']));
  assert.ok(Math.abs(expiresAt - network.clock.now().getTime() - 60_000) < 5_000);
  network.clock.advance(61_000);
  const late = await later.sync({ seq: 1, token, takeover: textOf(refused.body['nonce']) });
  assertProblem(late, 'token_held');
  assert.deepEqual(await holders(token), [before.id]);
  const fresh = await later.sync({ seq: 1, token, takeover: textOf(late.body['nonce']) });
  assertAnswered(fresh, 201);
});

test('a nonce is for one claimant, one token and one state of the holder', async () => {
  const [token, other] = [fcmToken(), fcmToken()];
  const before = await holder(token, 'anna');
  await holder(other, 'ben');
  const [later, thief] = [network.device(), network.device()];
  const nonce = textOf((await later.sync({ seq: 1, token })).body['nonce']);
  assertProblem(await thief.sync({ seq: 1, token, takeover: nonce }), 'token_held');
  assertProblem(await later.sync({ seq: 1, token: other, takeover: nonce }), 'token_held');
  // The holder signs out: whatever the nonce was for is not so any more.
  assertAnswered(await before.signOut(), 204);
  assertProblem(await later.sync({ seq: 1, token, takeover: nonce }), 'token_held');
  for (const forged of [
    '',
    '.',
    'x',
    `${nonce}x`,
    nonce.slice(0, -1),
    `0${nonce}`,
    'NaN.',
    '-1.x',
  ]) {
    assertProblem(await later.sync({ seq: 1, token, takeover: forged }), 'token_held');
  }
  assert.deepEqual(await holders(token), [before.id]);
});

test('the same text is another token under another provider, environment, kind or app', async () => {
  const hex = apnsToken().value;
  const environments = ['production', 'sandbox'] as const;
  for (const environment of environments) {
    const token = { provider: 'apns', value: hex, environment };
    assertAnswered(await network.device().register(token, 'anna'), 201);
  }
  for (const kind of ['token', 'fid'] as const) {
    const token = { provider: 'fcm', value: hex, kind, project: 'acme-shop' };
    assertAnswered(await network.device().register(token, 'anna'), 201);
  }
  for (const project of ['acme-shop-2', 'acme-shop-3']) {
    const token = { provider: 'fcm', value: hex, project };
    assertAnswered(await network.device().register(token, 'anna'), 201);
  }
  assert.equal((await holders({ value: hex })).length, 6);
});

test('the spelling of an APNs token does not make another one', async () => {
  const { value } = apnsToken();
  await holder({ provider: 'apns', value } as unknown as Token);
  for (const spelled of [value.toUpperCase(), `<${value}>`, value.replace(/(.{8})/g, '$1 ')]) {
    const answer = await network.device().register({ provider: 'apns', value: spelled });
    assertProblem(answer, 'token_held');
  }
});

test('a phone that really comes back gets its token back', async () => {
  const token = fcmToken();
  const anna = await holder(token, 'anna');
  network.clock.advance(1_000);
  const mallory = network.device();
  assertAnswered(await claim(mallory, token, 'mallory', 0), 201);
  network.clock.advance(1_000);
  const refused = await anna.sync({ seq: 10, token });
  assertProblem(refused, 'token_held');
  const echoed = await anna.sync({ seq: 10, token, takeover: textOf(refused.body['nonce']) });
  assertAnswered(echoed, 200);
  assert.deepEqual(await read(anna), { token: fingerprint(token), user: 'anna' });
  assert.deepEqual(await read(mallory), { token: null, user: 'mallory' });
});
