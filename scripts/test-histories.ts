// Runs every history of the small cases over HTTP: `npm run test:histories [-- --most N --seed N]`.
import { CASES, LONG_CASES } from '../test/model/cases.ts';
import { openGround } from '../test/model/ground.ts';
import { caseLine, runHistories } from '../test/model/histories.ts';
import { numbersFrom } from './command-line.ts';
import { openTestSetting } from './test-setting.ts';

/** How many of a case of five are run over HTTP; the model's own test runs all of them. */
const SAMPLE = 2_000;
/** More than any case of four has. */
const ALL = 1_000_000;
/** Of the violations of one case, so many are told in full. */
const TOLD = 3;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const { most = ALL, seed = Date.now() % 1_000_000 } = numbersFrom(args, ['most', 'seed']);
  console.log(`Histories of the small cases, seed ${seed}`);
  await using stack = new AsyncDisposableStack();
  stack.use(await openTestSetting());
  const ground = stack.use(await openGround());
  const startedAtMs = performance.now();
  const total = { histories: 0, violations: 0 };
  for (const historyCase of [...CASES, ...LONG_CASES]) {
    const isLong = LONG_CASES.includes(historyCase);
    const longest = isLong ? Math.min(most, SAMPLE) : most;
    const report = await runHistories(ground, historyCase, longest, seed);
    console.log(caseLine(report));
    for (const { message } of report.violations.slice(0, TOLD)) console.log(message);
    total.histories += report.histories;
    total.violations += report.violations.length;
  }
  const seconds = (performance.now() - startedAtMs) / 1000;
  const rate = Math.round(total.histories / seconds);
  console.log(
    `${total.histories} histories, ${total.violations} violations, ` +
      `${seconds.toFixed(0)} s, ${rate} histories/s`,
  );
  return total.violations === 0 ? 0 : 1;
}
