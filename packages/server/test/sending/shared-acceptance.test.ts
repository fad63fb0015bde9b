import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { BackEnd } from '../../../../test/back-end.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { startNetwork } from '../../../../test/network.ts';
import type { Transaction } from '../../src/store/sql.ts';
import { lockErasures } from '../../src/store/users.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { whileHeld } from '../registry/while-held.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());

/** As an erasure in the network's own app does until it commits. */
async function keepAcceptancesOut(tx: Transaction): Promise<void> {
  const [app] = await tx<{ ref: number }[]>`
    select app_ref as ref from app where id = ${network.app.id.slice(4)}`;
  assert.ok(app !== undefined);
  await lockErasures(tx, app.ref, 'exclusive');
}

async function waiting(): Promise<number> {
  const rows = await network.homing.db`select 1 from pg_locks where not granted`;
  return rows.length;
}

test('who waits for an erasure holds up nobody else', { timeout: 30_000 }, async () => {
  const other = await network.provision();
  const elsewhere = new BackEnd(network.url, other.secretKey);
  const sent = await whileHeld(network, keepAcceptancesOut, async () => {
    const held = ['anna', 'ben', 'maria'].map((user) => network.backEnd.sendToUsers([user]));
    while ((await waiting()) < 2);
    await elsewhere.sendToUsers(['sara']);
    return held;
  });
  await Promise.all(sent);
});

test('those who wait for an erasure give the connections back', { timeout: 30_000 }, async () => {
  const { backEnd, config } = network;
  const content = { title: 'Your order has shipped' };
  const crowd = Array.from({ length: config.database.connections }, (_, index) => `guest-${index}`);
  const audiences = [...crowd.map((user) => [user]), crowd.concat('anna', 'ben', 'maria')];
  await whileHeld(network, keepAcceptancesOut, async () => {
    const answers = Promise.all(
      audiences.map((users) =>
        backEnd.request('POST', '/v1/notifications', { audience: { users }, content }),
      ),
    );
    assertAnswered(await backEnd.get('/v1/installations'), 200);
    for (const answer of await answers) assertProblem(answer, 'registry_busy');
  });
});
