// What CI checks: types, lint, format, dead code, and the tests unless `--no-tests` is given.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { delimiter, dirname, join } from 'node:path';
import { sumTallies, tallyLine, type TestTally } from './test-tally.ts';

/** One check: a command that ends with 0 when all is well. */
interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

interface StepResult {
  readonly name: string;
  readonly passed: boolean;
  readonly durationMs: number;
}

const STEPS: readonly Step[] = [
  { name: 'types', command: 'node', args: ['scripts/launch.mjs', 'scripts/typecheck.ts'] },
  { name: 'lint', command: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', command: 'oxfmt', args: ['--check'] },
  { name: 'dead code', command: 'knip', args: [] },
];
const TESTS: Step = {
  name: 'tests',
  command: 'node',
  args: ['scripts/launch.mjs', 'scripts/test.ts'],
};

const ROOT = dirname(import.meta.dirname);

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => arg !== '--no-tests');
  if (unknown !== undefined) {
    console.error(`usage: npm run ci -- [--no-tests] (not ${unknown})`);
    return 2;
  }
  const steps = args.includes('--no-tests') ? STEPS : [...STEPS, TESTS];
  const results: StepResult[] = [];
  // One after the other: each uses all cores, and their reports should not mix.
  for (const step of steps) results.push(await runStep(step));

  console.log(`\n${table(results)}\n`);
  console.log(tallyLine(sumTallies(results.map(asTally))));
  return results.every((result) => result.passed) ? 0 : 1;
}

async function runStep(step: Step): Promise<StepResult> {
  console.log(`\n── ${step.name}: ${step.command} ${step.args.join(' ')}`);
  const startedAtMs = performance.now();
  const child = spawn(step.command, step.args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    // The tools start `node` by name; that must be the pinned one here, however CI was called.
    env: {
      ...process.env,
      PATH: `${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env['PATH']}`,
    },
    shell: process.platform === 'win32',
  });
  // A signal that only this process gets would leave the step running.
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  const passed = await ending(child).finally(() =>
    process.off('SIGINT', forward).off('SIGTERM', forward),
  );
  return { name: step.name, passed, durationMs: performance.now() - startedAtMs };
}

async function ending(child: ReturnType<typeof spawn>): Promise<boolean> {
  try {
    const [code] = (await once(child, 'exit')) as [number | null];
    return code === 0;
  } catch (error) {
    console.error(`cannot be run: ${String(error)}`);
    return false;
  }
}

function table(results: readonly StepResult[]): string {
  const width = Math.max(...results.map((result) => result.name.length));
  const row = ({ name, passed, durationMs }: StepResult): string => {
    const seconds = (durationMs / 1000).toFixed(1).padStart(7);
    return `${passed ? '✔' : '✖'} ${name.padEnd(width)} ${seconds} s  ${passed ? 'passed' : 'failed'}`;
  };
  return results.map(row).join('\n');
}

/** Each check counts as one, so that its result can be added to those of tests. */
function asTally({ passed }: StepResult): TestTally {
  return { passed: passed ? 1 : 0, failed: passed ? 0 : 1, skipped: 0 };
}
