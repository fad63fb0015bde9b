import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LIMITS } from '@homing/server';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { textOf } from '../http/text-of.ts';

/** Case S33: the echo of a challenge ends a dispute for good, until the token moves again. */
const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());

async function tokenStatus(phone: Device): Promise<unknown> {
  return (await network.backEnd.installation(phone.id))['token']?.['status'] ?? null;
}

/** A phone whose token was disputed until it echoed what came through it. */
async function settledPhone() {
  const token = fcmToken();
  const [phone, other] = [network.device(), network.device()];
  assertAnswered(await phone.register(token, 'anna'), 201);
  assertAnswered(await other.register(fcmToken(), 'ben'), 201);
  for (let move = 0; move <= LIMITS.undisputedMoves; move += 1) {
    const claimant = move % 2 === 0 ? other : phone;
    const packet = { seq: claimant.nextSeq(), token };
    const held = await claimant.sync(packet);
    const takeover = textOf(held.body['nonce']);
    assertAnswered(await claimant.sync({ ...packet, takeover }), 200);
  }
  assert.equal(await tokenStatus(phone), 'contested');
  await network.drain();
  const nonces = network.journal.entries({ token: token.value }).flatMap(({ body }) => {
    const nonce = /"homing_challenge":"([^"]+)"/.exec(JSON.stringify(body))?.[1];
    return nonce === undefined ? [] : [nonce];
  });
  const echo = { seq: phone.seq, token, takeover: nonces.at(-1) };
  assertAnswered(await phone.sync(echo), 200);
  assert.equal(await tokenStatus(phone), 'live');
  await network.clock.advance(60_000);
  return { phone, token };
}

for (const status of ['quarantined', 'retired']) {
  test(`a token that was ${status} after that comes back without a dispute`, async () => {
    const { phone, token } = await settledPhone();
    await network.homing.db`
      update installation set token_status = ${status}, token_status_at = ${network.clock.now()}
      where id = ${phone.id}`;
    assertAnswered(await phone.sync({ seq: phone.seq, token }), 200);
    assert.equal(await tokenStatus(phone), 'live');
  });
}

test('a token that is given up after that and reported anew is no dispute', async () => {
  const { phone, token } = await settledPhone();
  assertAnswered(await phone.sync({ token: null }), 200);
  assertAnswered(await phone.sync({ token }), 200);
  assert.equal(await tokenStatus(phone), 'live');
});
