import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { decideSync } from '../../packages/server/src/domain/registration.ts';
import { openGround, type OwnedGround } from './ground.ts';
import { runModel } from './model-run.ts';
import { CASES } from './cases.ts';
import { walkCase } from './decided-histories.ts';
import { PLANTED_BUGS } from './planted-bug.ts';

/** Within so many histories the model has to find a bug. */
const ENOUGH = 10_000;
/** So many show that what an earlier bug left behind is no finding. */
const QUIET_RUNS = 64;
const SEED = 20_260;

/**
 * One server for all bugs, whose decision is that of the bug under test: histories share nothing
 * but the server, so that nothing of an earlier bug reaches them, and a start takes longer than it
 * takes to find a bug.
 */
let decision = decideSync;
let ground: OwnedGround;
before(async () => {
  ground = await openGround({ decideSync: (...given) => decision(...given) });
});
after(() => ground[Symbol.asyncDispose]());

for (const bug of PLANTED_BUGS) {
  test(`the model finds it when ${bug.name}`, async (t) => {
    decision = bug.decideSync;
    const { found } = await runModel(ground, { runs: ENOUGH, seed: SEED, shrinks: false });
    assert.ok(found !== null, `${ENOUGH} histories did not show it`);
    t.diagnostic(`found after ${found.histories} histories:${found.violation}`);
  });
}

test('on the same server nothing is found when nothing is planted', async () => {
  decision = decideSync;
  const { found } = await runModel(ground, { runs: QUIET_RUNS, seed: SEED });
  assert.equal(found?.violation, undefined);
});

test('a finding is found again by its seed, in one lane, and shrunk alike', async (t) => {
  decision = PLANTED_BUGS[0]?.decideSync ?? decideSync;
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
