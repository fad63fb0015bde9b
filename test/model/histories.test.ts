import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HistoryCount, longestHistories } from './arrivals.ts';
import { CASES, LONG_CASES } from './cases.ts';
import { walkCase } from './decided-histories.ts';
import { openGround } from './ground.ts';
import { caseLine, runHistories } from './histories.ts';

/** The short form: a few of the longest histories of each case, always the same ones. */
const MOST = 12;
const SEED = 20_260;

function countOf(packets: number): { readonly longest: number; readonly count: HistoryCount } {
  const count = new HistoryCount(packets);
  let longest = 0;
  for (const order of longestHistories(packets)) {
    longest += 1;
    for (let arrived = 1; arrived <= order.length; arrived += 1) count.add(order.slice(0, arrived));
  }
  return { longest, count };
}

test('the longest histories begin with every history there is', () => {
  const three = countOf(3);
  assert.equal(three.longest, 90);
  assert.equal(three.count.withLast, 252);
  const four = countOf(4);
  assert.equal(four.longest, 2_520);
  assert.equal(four.count.withLast, 7_094);
  // Those in which the last of four is lost are the histories of three, the empty one left out.
  assert.equal(four.count.all, 7_094 + three.count.all);
});

for (const historyCase of CASES) {
  test(`${historyCase.name}: all histories are decided as the rules say`, (t) => {
    const { histories, withLast, violation } = walkCase(historyCase);
    t.diagnostic(`${histories} histories, the last operation arrives in ${withLast}`);
    assert.equal(violation, null);
  });
}

test('no order, loss or repetition misleads the registry', async (t) => {
  await using ground = await openGround();
  // All cases at once, because they share the rounds of sends.
  const reports = await Promise.all(
    [...CASES, ...LONG_CASES].map((historyCase) => runHistories(ground, historyCase, MOST, SEED)),
  );
  for (const report of reports) {
    await t.test(report.name, (t) => {
      t.diagnostic(`${caseLine(report)} (${MOST} longest histories, seed ${SEED})`);
      const messages = report.violations.map(({ message }) => message);
      assert.deepEqual(messages, []);
      assert.ok(report.histories > MOST);
      assert.ok(report.sends > 0);
    });
  }
});
