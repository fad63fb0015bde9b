// Holds the server against the reference model: `npm run test:model -- --runs 100000 [--seed N]`.
import { openGround } from '../test/model/ground.ts';
import { runModel, type ModelReport } from '../test/model/model-run.ts';
import { numbersFrom } from './command-line.ts';
import { openTestSetting } from './test-setting.ts';

const RUNS = 10_000;
const BAR_CELLS = 40;

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const given = numbersFrom(args, ['runs', 'seed', 'lanes']);
  const { runs = RUNS, seed = Date.now() % 1_000_000_000, lanes } = given;
  console.log(`Model-based test: ${runs} histories, seed ${seed}`);
  await using stack = new AsyncDisposableStack();
  stack.use(await openTestSetting());
  const ground = stack.use(await openGround());
  const startedAtMs = performance.now();
  const report = await runModel(ground, {
    runs,
    seed,
    ...(lanes !== undefined && { lanes }),
    onProgress: (histories) => showProgress(histories, runs),
  });
  const seconds = (performance.now() - startedAtMs) / 1000;
  const rate = Math.round(report.histories / seconds);
  console.log(
    `${report.histories} histories, ${report.found === null ? 0 : 1} violations, seed ${seed}, ` +
      `${seconds.toFixed(0)} s, ${rate} histories/s`,
  );
  if (report.found === null) return 0;
  console.log(failureText(report.found));
  return 1;
}

function failureText({ violation, seed, runs }: NonNullable<ModelReport['found']>): string {
  return (
    `The shortest history that shows it:${violation}\n` +
    `Again: npm run test:model -- --seed ${seed} --runs ${runs} --lanes 1`
  );
}

/** A bar on a terminal; elsewhere a line for every tenth. */
function showProgress(histories: number, runs: number): void {
  if (process.stdout.isTTY) {
    const cells = Math.round((histories / runs) * BAR_CELLS);
    const bar = '█'.repeat(cells).padEnd(BAR_CELLS, '·');
    process.stdout.write(`\r${bar} ${histories} of ${runs}${histories === runs ? '\n' : ''}`);
  } else if (histories % Math.ceil(runs / 10) === 0) {
    console.log(`${histories} of ${runs}`);
  }
}
