import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { startNetwork } from '../../../../test/network.ts';
import { parseTypedId } from '../../src/domain/typed-id.ts';
import { textOf } from '../http/text-of.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { homing, clock } = network;
const DAY_MS = 86_400_000;
const PATH = '/v1/app/credentials';

/** An app with one APNs credential that ends so many days from now. */
async function ownerOfExpiring(days: number) {
  const { apns = {} } = network.credentials;
  const app = await network.provision({ credentials: { apns } });
  const backEnd = new BackEnd(network.url, app.secretKey);
  const [card] = (await backEnd.get(PATH)).body['data'] as unknown as readonly AnswerBody[];
  const id = textOf(card?.['id']);
  const expiresAt = new Date(clock.now().getTime() + days * DAY_MS);
  await homing.db`
    update credential set expires_at = ${expiresAt} where id = ${parseTypedId('crd', id)}`;
  return {
    id,
    backEnd,
    expiresAt,
    add: () => backEnd.request('POST', PATH, { provider: 'apns', settings: apns }),
    /** Open alerts about an end that is near, after the hourly look. */
    async alerts() {
      await homing.maintenance.run();
      const { body } = await backEnd.get('/v1/alerts?open=true');
      return body['data'] as unknown as readonly AnswerBody[];
    },
    close: (alert: AnswerBody | undefined) =>
      backEnd.request('POST', `/v1/alerts/${textOf(alert?.['id'])}/close`),
  };
}

test('a credential that ends is told of 30, 7 and 1 days before, each time anew', async () => {
  const owner = await ownerOfExpiring(31);
  assert.deepEqual(await owner.alerts(), []);
  for (const [passed, left] of [
    [2, 29],
    [22, 7],
    [6, 1],
  ] as const) {
    await clock.advance(passed * DAY_MS);
    const [alert, ...others] = await owner.alerts();
    assert.deepEqual(others, []);
    assert.equal(textOf(alert?.['kind']), 'credential_expiring');
    assert.equal(alert?.['detail']?.['days_left'], left);
    assert.equal(textOf(alert?.['detail']?.['expires_at']), owner.expiresAt.toISOString());
    assertAnswered(await owner.close(alert), 200);
    assert.deepEqual(await owner.alerts(), [], 'a closed warning comes with the next one only');
  }
});

test('an alert that nobody closed stays one and the same, and counts down', async () => {
  const owner = await ownerOfExpiring(20);
  const [first] = await owner.alerts();
  assert.equal(first?.['detail']?.['days_left'], 20);
  await clock.advance(15 * DAY_MS);
  const [later, ...others] = await owner.alerts();
  assert.deepEqual(others, []);
  assert.equal(textOf(later?.['id']), textOf(first?.['id']));
  assert.equal(later?.['detail']?.['days_left'], 5);
});

test('the warning ends when another credential serves all of it, or it is retired', async () => {
  const replaced = await ownerOfExpiring(5);
  assert.equal((await replaced.alerts()).length, 1);
  assertAnswered(await replaced.add(), 201);
  assert.deepEqual(await replaced.alerts(), []);

  const retired = await ownerOfExpiring(5);
  assert.equal((await retired.alerts()).length, 1);
  assertAnswered(await retired.backEnd.request('DELETE', `${PATH}/${retired.id}`), 204);
  assert.deepEqual(await retired.alerts(), []);
});
