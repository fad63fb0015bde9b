import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { assertAnswered } from '../../../test/answered.ts';
import { apnsToken } from '../../../test/device.ts';
import { startNetwork, type Network } from '../../../test/network.ts';
import { tokens, tokensReached } from '../../../test/pushes.ts';
import { createHoming, HomingError } from '../src/index.ts';
import { startCuttingProxy } from './cutting-proxy.ts';

let network: Network;
before(async () => {
  network = await startNetwork();
});
after(() => network[Symbol.asyncDispose]());

const content = { title: 'Your order has shipped' };

test('a notification whose answer is lost is asked for again, and made once', async () => {
  const token = apnsToken();
  assertAnswered(await network.device().register(token, 'sara'), 201);
  await using proxy = await startCuttingProxy(network.url, 2);
  const homing = createHoming({ baseUrl: proxy.url, secretKey: network.app.secretKey });

  const ids: string[] = [];
  const reached = await tokensReached(network, async () => {
    const { id } = await homing.notifications.send({ audience: { users: ['sara'] }, content });
    ids.push(id);
  });

  assert.equal(proxy.cuts, 2);
  assert.deepEqual(reached, tokens(token));
  const [made] = await network.homing.db`select count(*)::int as count from notification`;
  assert.equal(made?.['count'], 1);
  const report = await homing.notifications.get(ids[0] ?? '');
  assert.equal(report.counts.accepted, 1);
});

test('a removal whose answer is lost is done, although the next attempt finds nothing', async () => {
  await using proxy = await startCuttingProxy(network.url, 1);
  const homing = createHoming({ baseUrl: proxy.url, secretKey: network.app.secretKey });
  const direct = createHoming({ baseUrl: network.url, secretKey: network.app.secretKey });
  const kid = `key-${randomUUID()}`;
  const [, hmac] = await direct.identityKeys.list();
  await direct.identityKeys.retire(hmac?.kid ?? '');
  await direct.identityKeys.add({ kid, secret: Buffer.alloc(32, 7).toString('base64') });

  await homing.identityKeys.retire(kid);

  assert.equal(proxy.cuts, 1);
  const live = await direct.identityKeys.list();
  assert.ok(live.every((key) => key.kid !== kid));
  // Nothing was in doubt here, so nothing is excused.
  await assert.rejects(homing.identityKeys.retire(kid), { code: 'not_found', status: 404 });
});

test('a change that may not run twice is left to the caller', async () => {
  await using proxy = await startCuttingProxy(network.url, 1);
  const homing = createHoming({ baseUrl: proxy.url, secretKey: network.app.secretKey });

  const failed = await homing.app.update({ name: 'Acme' }).then(
    () => null,
    (error: unknown) => error,
  );

  assert.ok(failed instanceof HomingError);
  assert.deepEqual([failed.code, failed.status], ['no_answer', null]);
  assert.equal(proxy.cuts, 1);
});

test('an upload whose answer is lost is sent again, if it can begin anew', async () => {
  await using proxy = await startCuttingProxy(network.url, 1);
  const homing = createHoming({ baseUrl: proxy.url, secretKey: network.app.secretKey });
  const beginnings: number[] = [];
  const lines = function* () {
    beginnings.push(1);
    yield { user: 'sara' };
    yield { user: 'maria' };
  };

  const list = await homing.audiences.create(lines, { idempotencyKey: 'crowd-0' });

  assert.equal(list.members, 2);
  assert.deepEqual([proxy.cuts, beginnings.length], [1, 2]);
  assert.equal((await homing.audiences.get(list.id)).users, 2);
  // What is made under this key is this one list.
  const again = await homing.audiences.create([...lines()], { idempotencyKey: 'crowd-0' });
  assert.deepEqual(again, list);

  await using once = await startCuttingProxy(network.url, 1);
  const other = createHoming({ baseUrl: once.url, secretKey: network.app.secretKey });
  const key = 'crowd-1';
  await assert.rejects(other.audiences.create(lines(), { idempotencyKey: key }), {
    code: 'no_answer',
    idempotencyKey: key,
  });
  assert.equal(once.cuts, 1);
  // By hand it can be, under the same key.
  assert.equal((await other.audiences.create(lines(), { idempotencyKey: key })).members, 2);
});
