import type { TestFiles } from './test-files.ts';
import { runTestFile, type TestRun, type TestSetting } from './test-process.ts';

/** Two files at a time keep two cores busy; timing in tests suffers from more. */
const CONCURRENCY = 2;

/**
 * Runs test files, first those that bear company and then the others one by one. `report` is told
 * of every file as it ends, in no particular order. After an interruption no further file starts.
 */
export async function runTestFiles(
  files: TestFiles,
  setting: TestSetting,
  report: (run: TestRun) => void,
): Promise<readonly TestRun[]> {
  const runs: TestRun[] = [];
  const work = async (queue: Iterator<string, undefined>): Promise<void> => {
    for (let next = queue.next(); next.done !== true; next = queue.next()) {
      if (setting.interruption.aborted) return;
      const run = await runTestFile(next.value, setting);
      runs.push(run);
      report(run);
    }
  };
  const together = files.together.values();
  await Promise.all(Array.from({ length: CONCURRENCY }, () => work(together)));
  await work(files.alone.values());
  return runs;
}

/** One file's part of the report: a headline, then what the file said. */
export function runReport(run: TestRun): string {
  const { file, tally, durationMs, output, problem } = run;
  const mark = tally.failed === 0 ? '✔' : '✖';
  const counts = `${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`;
  const lines = [`${mark} ${file} (${counts}, ${(durationMs / 1000).toFixed(1)} s)`];
  if (output !== '') lines.push(output.replaceAll(/^(?=.)/gm, '  '));
  if (problem !== null) lines.push(`  ✖ ${file} ${problem}`);
  return `${lines.join('\n')}\n`;
}
