import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGround } from './ground.ts';
import { runModel } from './model-run.ts';

/** The short form of `npm run test:model`, always with the same histories. */
const RUNS = 256;
const SEED = 20_260;

test('random histories end as the rules say', async (t) => {
  await using ground = await openGround();
  const { histories, found } = await runModel(ground, { runs: RUNS, seed: SEED });
  t.diagnostic(`${histories} histories from seed ${SEED}`);
  assert.equal(found?.violation, undefined);
  assert.equal(histories, RUNS);
});
