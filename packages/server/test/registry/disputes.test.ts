import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LIMITS } from '@homing/server';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { textOf } from '../http/text-of.ts';

/** Case S33: a dispute is about a token, whoever has it at the moment, and outlives its holders. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { db } = network.homing;

type Token = ReturnType<typeof fcmToken>;

async function tokenStatus(phone: Device): Promise<unknown> {
  return (await network.backEnd.installation(phone.id))['token']?.['status'] ?? null;
}

async function takeOver(phone: Device, token: Token): Promise<void> {
  const packet = { seq: phone.nextSeq(), token };
  const held = await phone.sync(packet);
  assertProblem(held, 'token_held');
  assertAnswered(await phone.sync({ ...packet, takeover: textOf(held.body['nonce']) }), 200);
}

/** Two phones that took a token from each other so often; the first one had it at the beginning. */
async function quarrel(token: Token, moves: number) {
  const phones = [network.device(), network.device()] as const;
  assertAnswered(await phones[0].register(token, 'anna'), 201);
  assertAnswered(await phones[1].register(fcmToken(), 'ben'), 201);
  for (let move = 1; move <= moves; move += 1) await takeOver(phones[move % 2 ? 1 : 0], token);
  return { phones, holder: phones[moves % 2 ? 1 : 0] };
}

test('a disputed token that its holder gives up is disputed for whoever reports it next', async () => {
  const token = fcmToken();
  const { phones, holder } = await quarrel(token, LIMITS.undisputedMoves + 1);
  assert.equal(await tokenStatus(holder), 'contested');
  for (const next of [...phones, network.device()]) {
    for (const phone of phones) assertAnswered(await phone.sync({ token: null }), 200);
    const answer = await next.sync({ token });
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    assert.equal(answer.body['installation']?.['token']?.['status'], 'contested');
  }
});

test('one that was put aside, or called dead, meanwhile is disputed as before', async () => {
  for (const status of ['quarantined', 'retired']) {
    const token = fcmToken();
    const { holder } = await quarrel(token, LIMITS.undisputedMoves + 1);
    await db`
      update installation set token_status = ${status}, token_status_at = ${network.clock.now()}
      where id = ${holder.id}`;
    const answer = await holder.sync({ seq: holder.seq, token });
    assertAnswered(answer, 200);
    assert.equal(answer.body['installation']?.['token']?.['status'], 'contested', status);
    const lines = await network.backEnd.timeline(holder.id);
    assert.match(lines.at(-1) ?? '', /is disputed between installations/);
  }
});

test('a token that was given up before it moved too often is free, and so is one a day later', async () => {
  const [undisputed, disputed] = [fcmToken(), fcmToken()];
  const few = await quarrel(undisputed, LIMITS.undisputedMoves);
  assertAnswered(await few.holder.sync({ token: null }), 200);
  assertAnswered(await few.holder.sync({ token: undisputed }), 200);
  assert.equal(await tokenStatus(few.holder), 'live');
  const many = await quarrel(disputed, LIMITS.undisputedMoves + 1);
  assertAnswered(await many.holder.sync({ token: null }), 200);
  await network.clock.advance(LIMITS.disputeCalmMs + 1_000);
  assertAnswered(await many.holder.sync({ token: disputed }), 200);
  assert.equal(await tokenStatus(many.holder), 'live');
});
