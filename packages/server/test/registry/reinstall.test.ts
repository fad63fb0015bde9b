import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken, type Device } from '../../../../test/device.ts';
import { fingerprint } from '../../../../test/fingerprint.ts';
import { startNetwork } from '../../../../test/network.ts';
import { tokens, tokensReached } from '../../../../test/pushes.ts';
import { assertProblem } from '../http/assert-problem.ts';

/** An app that was installed anew on one device is one target, long before a provider says so. */
const network = await startNetwork({ processes: 2 });
after(() => network[Symbol.asyncDispose]());
beforeEach(() => network.clock.advance(600_000));

interface Install {
  readonly vendorId?: string;
  readonly platform?: string;
  readonly token?: unknown;
  readonly userId: string;
}

/** The first start of an app, a minute before whatever comes next. */
async function install(one: Install): Promise<Device> {
  const phone = await start(one);
  await network.clock.advance(60_000);
  return phone;
}

/**
 * The first start of an app, with everything in one packet, as SDKs do it. It moves no time, which
 * would let the assertions of others that are under way expire.
 */
async function start({ vendorId, platform = 'ios', token, userId }: Install): Promise<Device> {
  const phone = network.device();
  const user = { id: userId, assertion: await phone.assertion(userId) };
  const device = { platform, ...(vendorId !== undefined && { vendor_id: vendorId }) };
  assertAnswered(await phone.sync({ token: token ?? apnsToken(), user, device }), 201);
  return phone;
}

async function read(phone: Device) {
  const body = await network.backEnd.installation(phone.id);
  return { token: body['token']?.['masked'] ?? null, user: body['user']?.['id'] ?? null };
}

/** Which tokens a message for a user reaches. */
function reached(userId: string): Promise<readonly string[]> {
  return tokensReached(network, () => network.backEnd.sendToUsers([userId]));
}

/** A user of this test alone, with a device of their own. */
function person() {
  return { userId: `user-${randomUUID()}`, vendorId: randomUUID().toUpperCase() };
}

test('an app that is installed anew takes the place of the one that it was', async () => {
  const { userId, vendorId } = person();
  const [former, fresh] = [apnsToken(), apnsToken()];
  const old = await install({ vendorId, userId, token: former });
  const anew = await install({ vendorId, userId, token: fresh });
  assert.deepEqual(await read(old), { token: null, user: null });
  assert.deepEqual(await read(anew), { token: fingerprint(fresh), user: userId });
  assert.deepEqual(await reached(userId), tokens(fresh));
  const lines = await network.backEnd.timeline(old.id);
  assert.deepEqual(lines.slice(-2), [
    `User ${userId} was signed out here because the app was installed anew on the same device.`,
    `A newer installation on the same device took its place: ${anew.id}.`,
  ]);
});

test('it does so as well when it got the same token again', async () => {
  const { userId, vendorId } = person();
  const token = apnsToken();
  const old = await install({ vendorId, userId, token });
  const anew = await install({ vendorId, userId, token });
  assert.deepEqual(await read(old), { token: null, user: null });
  assert.deepEqual(await read(anew), { token: fingerprint(token), user: userId });
  assert.deepEqual(await reached(userId), tokens(token));
});

test('it does so also when it signs in, or says which device it is on, by a later packet', async () => {
  for (const order of ['device first', 'login first']) {
    const { userId, vendorId } = person();
    const old = await install({ vendorId, userId });
    const fresh = fcmToken();
    const anew = network.device();
    assertAnswered(await anew.register(fresh), 201);
    await network.clock.advance(1_000);
    const say = () => anew.sync({ device: { platform: 'ios', vendor_id: vendorId } });
    const [first, then] = order === 'device first' ? [say, login] : [login, say];
    assertAnswered(await first(), 200);
    assert.equal((await read(old)).user, userId, order);
    assertAnswered(await then(), 200);
    assert.deepEqual(await read(old), { token: null, user: null }, order);
    assert.deepEqual(await reached(userId), tokens(fresh), order);

    function login() {
      return anew.signIn(userId);
    }
  }
});

test('what does not show that it is the same device, the same person and later changes nothing', async () => {
  const cases: readonly [string, (one: Install) => Install][] = [
    ['another vendor id', (one) => ({ ...one, vendorId: randomUUID() })],
    ['no vendor id', ({ userId, token }) => ({ userId, token })],
    ['another platform', (one) => ({ ...one, platform: 'android' })],
    ['another person', (one) => ({ ...one, userId: `other-${one.userId}` })],
  ];
  for (const [title, other] of cases) {
    const one = person();
    const token = apnsToken();
    const old = await install({ ...one, token });
    await install(other({ ...one, token: apnsToken() }));
    assert.deepEqual(await read(old), { token: fingerprint(token), user: one.userId }, title);
  }
  const { userId } = person();
  for (const vendorId of ['9774d56d682e549c', '00000000-0000-0000-0000-000000000000']) {
    const old = await install({ userId, vendorId });
    await install({ userId, vendorId });
    assert.equal((await read(old)).user, userId, vendorId);
  }
});

test('a vendor id is no proof: nobody ends a link with it but their own', async () => {
  const { userId, vendorId } = person();
  const token = apnsToken();
  const old = await install({ vendorId, userId, token });
  const thief = network.device();
  const device = { platform: 'ios', vendor_id: vendorId };
  const named = { id: userId, assertion: 'forged' };
  const forged = await thief.sync({ token: apnsToken(), user: named, device });
  assertProblem(forged, 'assertion_invalid');
  assertAnswered(await thief.signIn('mallory'), 200);
  assert.deepEqual(await read(old), { token: fingerprint(token), user: userId });
  assert.deepEqual(await reached(userId), tokens(token));
});

test('one that was heard of since the newer one exists is on another device', async () => {
  const { userId, vendorId } = person();
  const token = apnsToken();
  const old = await install({ vendorId, userId, token });
  const anew = network.device();
  assertAnswered(await anew.register(apnsToken()), 201);
  await network.clock.advance(1_000);
  assertAnswered(await old.sync({ device: { label: 'alive' } }), 200);
  const user = { id: userId, assertion: await anew.assertion(userId) };
  assertAnswered(await anew.sync({ user, device: { platform: 'ios', vendor_id: vendorId } }), 200);
  assert.deepEqual(await read(old), { token: fingerprint(token), user: userId });
});

test('one that was alive after all registers again, and both are reached', async () => {
  const { userId, vendorId } = person();
  const [former, fresh] = [apnsToken(), apnsToken()];
  const old = await install({ vendorId, userId, token: former });
  await install({ vendorId, userId, token: fresh });
  assertAnswered(await old.register(former, userId), 200);
  assert.deepEqual(await reached(userId), tokens(former, fresh));
  // Its newer twin was heard of since, so nobody takes anybody's place for ever in turn.
  assertAnswered(await old.sync({ device: { platform: 'ios', vendor_id: vendorId } }), 200);
  assert.deepEqual(await reached(userId), tokens(former, fresh));
});

test('two apps of one vendor know nothing of each other', async () => {
  const { userId, vendorId } = person();
  const token = apnsToken();
  const old = await install({ vendorId, userId, token });
  const other = await network.provision();
  const path = `/v1/installations/${randomUUID()}`;
  const { status } = await fetch(`${network.url}${path}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${other.secretKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      user: { id: userId },
      device: { platform: 'ios', vendor_id: vendorId },
    }),
  });
  assert.equal(status, 201);
  assert.deepEqual(await read(old), { token: fingerprint(token), user: userId });
});

test('reinstalls at the same moment, of one device and of many, leave nobody with the former one', async () => {
  const people = Array.from({ length: 12 }, person);
  await Promise.all(people.map(start));
  await network.clock.advance(60_000);
  const fresh = people.map(() => [apnsToken(), apnsToken()] as const);
  await Promise.all(
    people.flatMap((one, index) => (fresh[index] ?? []).map((token) => start({ ...one, token }))),
  );
  for (const [index, { userId }] of people.entries()) {
    // Those that were made within one millisecond do not show which of them is gone.
    const own = tokens(...(fresh[index] ?? []));
    const found = await reached(userId);
    assert.ok(found.length > 0 && found.every((token) => own.includes(token)), found.join());
  }
});

function usersOn(phone: Device, ids: readonly string[]) {
  return Promise.all(ids.map(async (id) => ({ id, assertion: await phone.assertion(id) })));
}

test('a reinstalled app takes its token along while another user stays on the old one', async () => {
  const mode = (account_mode: string) =>
    network.backEnd.request('PATCH', '/v1/app', { account_mode });
  assertAnswered(await mode('multi'), 200);
  const { userId, vendorId } = person();
  const [token, device] = [apnsToken(), { platform: 'ios', vendor_id: vendorId }];
  const [old, fresh] = [network.device(), network.device()];
  const guest = `guest-${userId}`;
  assertAnswered(
    await old.sync({ token, device, users: await usersOn(old, [userId, guest]) }),
    201,
  );
  await network.clock.advance(60_000);
  assertAnswered(await fresh.sync({ token, device, users: await usersOn(fresh, [userId]) }), 201);
  assert.deepEqual(await reached(userId), tokens(token));
  assert.deepEqual(await reached(guest), []);
  const [row] = await network.homing.db<{ moves: number }[]>`
    select count(*)::integer as moves from address_move m
    where m.address_key = (select address_key from installation where id = ${fresh.id})`;
  assert.equal(row?.moves, 1);
  assertAnswered(await mode('exclusive'), 200);
});
