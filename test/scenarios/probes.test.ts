import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { LIMITS } from '@homing/server';
import { addressKey } from '../../packages/server/src/domain/address-key.ts';
import type { Address } from '../../packages/server/src/domain/address.ts';
import { insertChallenges } from '../../packages/server/src/store/challenges.ts';
import { inTransaction } from '../../packages/server/src/store/transaction.ts';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, fcmToken } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import { PROJECT, startNetwork, TOPIC, type Network } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const DAY_MS = 24 * 3_600_000;

/** A phone that says production although its token is another one there. */
async function misplacedPhone(network: Network) {
  const [phone, token] = [network.device(), apnsToken()];
  const packet = { seq: phone.nextSeq(), token };
  assertAnswered(await phone.sync(packet), 201);
  assertAnswered(await phone.signIn('anna'), 200);
  network.apns.devices.set(token.value, { kind: 'other_environment' });
  const send = async () => {
    const id = await network.backEnd.sendToUsers(['anna']);
    await network.drain();
    return id;
  };
  const shown = () => network.backEnd.installation(phone.id);
  const checkIn = async () => {
    const answer = await phone.sync(packet);
    assertAnswered(answer, 200);
    assert.deepEqual(answer.body['applied'], { token: true });
  };
  return { phone, token, send, shown, checkIn };
}

/** What the other environment was asked. */
function asked(network: Network, token: { readonly value: string }) {
  return network.journal
    .entries({ token: token.value })
    .filter((entry) => entry.environment === 'sandbox');
}

test('a token of the other environment is put right by one silent push, and used', async () => {
  await using network = await startNetwork();
  const { phone, token, send, shown, checkIn } = await misplacedPhone(network);

  const id = await send();

  const installation = await shown();
  assert.equal(installation['status'], 'active');
  assert.equal(installation['token']?.['environment'], 'sandbox');
  const [probe, push, ...others] = asked(network, token);
  assert.deepEqual(others, []);
  assert.equal(probe?.headers['apns-push-type'], 'background');
  assert.equal(probe?.headers['apns-priority'], '5');
  assert.match(JSON.stringify(probe?.body), /"content-available":1/);
  assert.doesNotMatch(JSON.stringify(probe?.body), /alert|rcpt|challenge/);
  // What had been refused follows, as the delivery that it is.
  assert.equal(push?.headers['apns-push-type'], 'alert');
  const report = await network.backEnd.report(id);
  assertConserved(report);
  assert.deepEqual(report['counts']?.['accepted'], 1);
  const timeline = await network.backEnd.timeline(phone.id);
  const other = `Token ${fingerprint(token)} was taken by the provider's other environment`;
  assert.ok(timeline.some((line) => line.startsWith(other)));

  // The phone goes on saying production; what it repeats undoes nothing.
  network.clock.advance(LIMITS.checkInMs + 1_000);
  await checkIn();
  assert.deepEqual(await tokensReached(network, send), tokens(token));
  assert.equal((await shown())['status'], 'active');
  // Nor does what it says anew.
  for (let start = 0; start < 2; start += 1) {
    assertAnswered(await phone.sync({ token }), 200);
    assert.deepEqual(await tokensReached(network, send), tokens(token));
  }
});

test('a token that is bad in both environments is retired, and asked about once a day', async () => {
  await using network = await startNetwork();
  const { token, send, shown, checkIn } = await misplacedPhone(network);
  network.sandbox.devices.set(token.value, { kind: 'other_environment' });
  await send();
  assert.equal((await shown())['status'], 'retired');
  // The phone has it all the same, and the answer was not long ago.
  await checkIn();
  await send();
  assert.equal((await shown())['status'], 'quarantined');
  assert.equal((await shown())['token']?.['environment'], 'production');
  assert.equal(asked(network, token).length, 1);
});

test('a token that is dead in the other environment is retired', async () => {
  await using network = await startNetwork();
  const { token, send, shown } = await misplacedPhone(network);
  network.clock.advance(DAY_MS);
  const atMs = network.clock.now().getTime();
  network.sandbox.devices.set(token.value, { kind: 'unregistered', atMs });
  await send();
  assert.equal((await shown())['status'], 'retired');
});

test('an address that somebody else holds is not taken by a correction', async () => {
  await using network = await startNetwork();
  const { token, send, shown } = await misplacedPhone(network);
  const other = network.device();
  assertAnswered(await other.register({ ...token, environment: 'sandbox' }, 'ben'), 201);
  await send();
  assert.equal((await shown())['status'], 'quarantined');
  assert.equal((await network.backEnd.installation(other.id))['status'], 'active');
});

test('an installation that is removed while its probe is under way is not brought back', async () => {
  await using network = await startNetwork();
  const { phone, token } = await misplacedPhone(network);
  using hold = network.sandbox.faults.hold({ token: token.value }, 'answer');
  await network.backEnd.sendToUsers(['anna']);
  await hold.arrived();
  assertAnswered(await phone.request('DELETE', ''), 204);
  hold.release();
  await network.drain();

  assert.deepEqual(
    asked(network, token).map(({ accepted }) => accepted),
    [true],
  );
  const listed = await network.backEnd.get(`/v1/installations?token=${token.value}`);
  assertAnswered(listed, 200);
  assert.deepEqual(listed.body['data'], []);
  // The address there is free, for whoever reports it.
  const next = network.device();
  assertAnswered(await next.register({ ...token, environment: 'sandbox' }, 'ben'), 201);
});

test('a whole fleet that is misplaced is asked at once, and forgotten after a day', async () => {
  await using network = await startNetwork();
  const fleet = [];
  // Fewer than a freeze needs, which would believe none of it.
  for (let count = 0; count < LIMITS.massDeathTokens - 1; count += 1) {
    fleet.push(await misplacedPhone(network));
  }
  await network.backEnd.sendToUsers(['anna']);
  await network.drain();
  for (const { token, shown } of fleet) {
    assert.equal((await shown())['token']?.['environment'], 'sandbox');
    assert.equal(asked(network, token).length, 2, 'the probe and the push');
  }
  const probes = async () => {
    const [row] = await network.homing.db<{ count: number }[]>`
      select count(*)::integer as count from probe`;
    return row?.count;
  };
  assert.equal(await probes(), fleet.length);
  await network.clock.advance(2 * DAY_MS);
  await network.homing.maintenance.run();
  assert.equal(await probes(), 0);
});

/** Asks for a challenge as the registry does, of whoever was enrolled first. */
async function challenge(network: Network, address: Address, nonce: string): Promise<void> {
  const { db } = network.homing;
  const [row] = await db<{ ref: number; app: number; version: number }[]>`
    select installation_ref as ref, app_ref as app, holder_version as version from installation
    order by installation_ref limit 1`;
  assert.ok(row !== undefined);
  const { ref: holderRef, app: appRef, version: holderVersion } = row;
  const [at, key] = [network.clock.now(), addressKey(address)];
  const expiresAt = new Date(at.getTime() + LIMITS.takeoverNonceMs);
  const one = {
    claimantId: CLAIMANT,
    holderRef,
    holderVersion,
    address,
    key,
    nonce,
    at,
    expiresAt,
  };
  await inTransaction(db, (tx) => insertChallenges(tx, appRef, [one]));
}

const CLAIMANT = randomUUID();

const ADDRESSES: Readonly<Record<string, (token: string) => Address>> = {
  apns: (token) => ({ provider: 'apns', environment: 'production', topic: TOPIC, token }),
  fcm: (token) => ({ provider: 'fcm', kind: 'token', project: PROJECT, token }),
};

for (const [provider, makeAddress] of Object.entries(ADDRESSES)) {
  test(`a challenge travels silently through ${provider} to an address that is not one's own`, async () => {
    await using network = await startNetwork();
    assertAnswered(await network.device().register(apnsToken()), 201);
    const token = provider === 'apns' ? apnsToken() : fcmToken();
    const address = makeAddress(token.value);

    await challenge(network, address, 'nonce-1');
    await challenge(network, address, 'nonce-2');
    await network.drain();

    const [entry, ...others] = network.journal.entries({ token: token.value });
    assert.deepEqual(others, []);
    const body = JSON.stringify(entry?.body);
    assert.match(
      body,
      provider === 'apns' ? /"challenge":"nonce-1"/ : /"homing_challenge":"nonce-1"/,
    );
    assert.doesNotMatch(body, /"alert"|"notification":/);
    const [ledger] = await network.homing.db<{ count: number }[]>`
      select count(*) as count from delivery`;
    assert.equal(ledger?.count, 0);

    // A minute later the next one goes out; one that nobody came to send in its minute does not.
    network.clock.advance(LIMITS.takeoverNonceMs + 1_000);
    network.apns.faults.schedule({
      times: 1,
      fault: { kind: 'answer', status: 503, reason: 'ServiceUnavailable' },
    });
    await challenge(network, address, 'nonce-3');
    await network.drain();
    network.clock.advance(LIMITS.takeoverNonceMs);
    await network.drain();
    const sent = network.journal.entries({ token: token.value }).length;
    assert.equal(sent, 2);
  });
}
