// Runs the project's tests: `npm test`, or `npm test -- PATH-OR-PART...` for some of the files.
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openTestDatabase } from './test-database.ts';
import { findTestFiles } from './test-files.ts';
import { runReport, runTestFiles } from './test-run.ts';
import { sumTallies, tallyLine } from './test-tally.ts';

/** The slowest file takes well under a minute; a file that takes five hangs. */
const FILE_TIMEOUT_MS = 300_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const interruption = new AbortController();
for (const signal of SIGNALS) process.once(signal, () => interruption.abort(signal));
process.exitCode = await main(process.argv.slice(2));

async function main(filters: readonly string[]): Promise<number> {
  const root = dirname(import.meta.dirname);
  const files = await findTestFiles(root, filters);
  await using cleanup = new AsyncDisposableStack();
  const scratchDirectory = await mkdtemp(join(tmpdir(), 'homing-test-run-'));
  cleanup.defer(() => rm(scratchDirectory, { recursive: true, force: true }));
  const database = cleanup.use(await openTestDatabase(scratchDirectory));

  const setting = {
    root,
    scratchDirectory,
    environment: database.environment,
    fileTimeoutMs: FILE_TIMEOUT_MS,
    interruption: interruption.signal,
  };
  const runs = await runTestFiles(files, setting, (run) => console.log(runReport(run)));
  const failed = runs.filter((run) => run.tally.failed > 0);
  for (const run of failed)
    console.log(`✖ ${run.file}${run.problem === null ? '' : ` ${run.problem}`}`);
  if (runs.length === 0) console.log('No test file was run: none matches.');

  const tally = sumTallies(runs.map((run) => run.tally));
  console.log(tallyLine(tally));
  if (interruption.signal.aborted) return signalExitCode(interruption.signal.reason);
  return failed.length > 0 || tally.passed + tally.skipped === 0 ? 1 : 0;
}

/** What a shell reports for a process that ended by this signal. */
function signalExitCode(signal: (typeof SIGNALS)[number]): number {
  return 128 + constants.signals[signal];
}
