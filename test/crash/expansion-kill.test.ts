import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'node:test';
import type { AnswerBody } from '../answer.ts';
import { assertConserved } from '../conservation.ts';
import { gatherCrowd } from '../anonymous-crowd.ts';
import { startNetwork, type Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { startSecondServer } from '../second-server.ts';

const INSTALLATIONS = 60_000;
const TOKEN_EVERY = 200;
const KILLS = 3;
/** A failure bound: two leases run out for each kill, on a busy machine. */
const PATIENCE_MS = 90_000;
const LOOK_MS = 5;

test('workers that are killed in the middle of a walk lose nobody and double nobody', async (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  await using network = await startNetwork({ role: 'api' });
  const crowd = { count: INSTALLATIONS, tokenEvery: TOKEN_EVERY, name: 'crash' };
  await gatherCrowd(network.homing.db, network.app.id, crowd);
  const { clock, masterKey } = network;
  const config = { ...network.config, role: 'worker' } as const;
  const content = { title: 'The summer sale has begun' };
  const id = await network.backEnd.send({ audience: { everyone: true }, content });

  let killedInTheMiddle = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    await using worker = await startSecondServer({ config, masterKey, clock });
    const before = expectedOf(await network.backEnd.report(id));
    await until(network, id, (report) => expectedOf(report) > before || isFinished(report));
    await delay(random.below(40));
    await worker.kill();
    const report = await network.backEnd.report(id);
    assertConserved(report);
    if (expectedOf(report) < INSTALLATIONS) killedInTheMiddle += 1;
  }
  t.diagnostic(`${killedInTheMiddle} of ${KILLS} were killed before the walk was done`);
  assert.ok(killedInTheMiddle > 0, 'a kill came in the middle');
  await using _ = await startSecondServer({ config, masterKey, clock });
  await until(network, id, isFinished);

  const report = await network.backEnd.report(id);
  assertConserved(report);
  const counts = report['counts'];
  assert.equal(counts?.['expected'], INSTALLATIONS);
  assert.equal(counts?.['accepted'], INSTALLATIONS / TOKEN_EVERY);
  assert.deepEqual(report['reasons'], {
    skipped: { no_token: INSTALLATIONS - INSTALLATIONS / TOKEN_EVERY },
  });
  // The referee is what the provider received: repetitions only of what is marked as such.
  const pushes = acceptedPushes(network.journal);
  const reached = new Set(pushes.map((push) => push.token));
  assert.equal(reached.size, INSTALLATIONS / TOKEN_EVERY);
  // A delivery that several workers died over came more than twice, and is marked once.
  const repeated = [...Map.groupBy(pushes, (push) => push.token).values()].filter(
    (ones) => ones.length > 1,
  );
  const duplicates = Number(report['possible_duplicates']);
  assert.ok(repeated.length <= duplicates, `${repeated.length} repeated, ${duplicates} marked`);
});

function expectedOf(report: AnswerBody): number {
  return Number(report['counts']?.['expected'] ?? 0);
}

function isFinished(report: AnswerBody): boolean {
  return (report['status'] as unknown as string) === 'finished';
}

async function until(
  network: Network,
  id: string,
  holds: (report: AnswerBody) => boolean,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!holds(await network.backEnd.report(id))) {
    assert(performance.now() < deadline, 'the walk goes on');
    await delay(LOOK_MS);
  }
}
