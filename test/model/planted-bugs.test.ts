import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGround } from './ground.ts';
import { runModel } from './model-run.ts';
import { PLANTED_BUGS } from './planted-bug.ts';

/** Within so many histories the model has to find a bug. */
const ENOUGH = 10_000;
const SEED = 20_260;

for (const bug of PLANTED_BUGS) {
  test(`the model finds it when ${bug.name}`, async (t) => {
    await using ground = await openGround({ decideSync: bug.decideSync });
    const { found } = await runModel(ground, { runs: ENOUGH, seed: SEED });
    assert.ok(found !== null, `${ENOUGH} histories did not show it`);
    t.diagnostic(`found after ${found.histories} histories; shrunk to:${found.violation}`);
    // What the command tells a person to do shows the same history again.
    const { seed, runs } = found;
    const again = await runModel(ground, { runs, seed, lanes: 1 });
    assert.equal(again.found?.violation, found.violation);
  });
}
