// `npm run test:histories [-- --most N --seed N]`: every history of the small cases over HTTP, and
// of those of five operations as the product decides them, without the network and the database.
import { parseArgs } from 'node:util';
import { freshSeed } from '../seeded-random.ts';
import { CASES, LONG_CASES } from './cases.ts';
import { walkCase } from './decided-histories.ts';
import { openGround } from './ground.ts';
import { caseLine, runHistories } from './histories.ts';

/** Of a case of five operations so many longest histories are run; of a shorter one all. */
const SAMPLE = 2_000;
/** Of the violations of one case, so many are told in full. */
const TOLD = 3;

const { values } = parseArgs({
  options: {
    most: { type: 'string', default: 'all' },
    seed: { type: 'string', default: String(freshSeed()) },
  },
});
const most = values.most === 'all' ? Number.POSITIVE_INFINITY : Number(values.most);
const seed = Number(values.seed);

console.log(`seed ${seed}`);
const total = { histories: 0, violations: 0 };
for (const historyCase of LONG_CASES) {
  const { histories, withLast, violation } = walkCase(historyCase);
  const counts = `${histories} histories decided, the last operation arrives in ${withLast}`;
  console.log(`${historyCase.name}: ${counts}${violation ?? ', 0 violations'}`);
  if (violation !== null) total.violations += 1;
}
await using ground = await openGround();
const startedAtMs = performance.now();
for (const historyCase of [...CASES, ...LONG_CASES]) {
  const longest = LONG_CASES.includes(historyCase) ? Math.min(most, SAMPLE) : most;
  const report = await runHistories(ground, historyCase, longest, seed);
  console.log(caseLine(report));
  for (const { message } of report.violations.slice(0, TOLD)) console.log(message);
  total.histories += report.histories;
  total.violations += report.violations.length;
  await ground.nextSecond();
}
const seconds = (performance.now() - startedAtMs) / 1000;
console.log(
  `${total.histories} histories, ${total.violations} violations, ${seconds.toFixed(0)} s, ` +
    `${Math.round(total.histories / seconds)} histories/s`,
);
if (total.violations > 0) process.exitCode = 1;
