import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openGround } from './ground.ts';
import { runModel } from './model-run.ts';
import { CASES } from './cases.ts';
import { walkCase } from './decided-histories.ts';
import { PLANTED_BUGS } from './planted-bug.ts';

/** Within so many histories the model has to find a bug. */
const ENOUGH = 10_000;
const SEED = 20_260;

for (const bug of PLANTED_BUGS) {
  test(`the model finds it when ${bug.name}`, async (t) => {
    await using ground = await openGround({ decideSync: bug.decideSync });
    const { found } = await runModel(ground, { runs: ENOUGH, seed: SEED, shrinks: false });
    assert.ok(found !== null, `${ENOUGH} histories did not show it`);
    t.diagnostic(`found after ${found.histories} histories:${found.violation}`);
  });
}

test('a finding is found again by its seed, in one lane, and shrunk alike', async (t) => {
  const [bug] = PLANTED_BUGS;
  await using ground = await openGround({ ...(bug && { decideSync: bug.decideSync }) });
  const { found } = await runModel(ground, { runs: ENOUGH, seed: SEED });
  assert.ok(found !== null);
  t.diagnostic(`shrunk to:${found.violation}`);
  const again = await runModel(ground, { runs: found.runs, seed: found.seed, lanes: 1 });
  assert.equal(again.found?.violation, found.violation);
});

for (const bug of PLANTED_BUGS) {
  test(`a small case shows it when ${bug.name}`, (t) => {
    for (const historyCase of CASES) {
      const { histories, violation } = walkCase(historyCase, bug.decideSync);
      if (violation === null) continue;
      t.diagnostic(`${historyCase.name}, after ${histories} histories:${violation}`);
      return;
    }
    assert.fail('no history of any small case shows it');
  });
}
