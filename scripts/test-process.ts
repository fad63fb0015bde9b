import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEADLINE_EXIT_CODE } from './test-deadline.ts';
import { EMPTY_TALLY, readTapTally, type TestTally } from './test-tally.ts';

/** What the processes of all test files have in common. */
export interface TestSetting {
  readonly root: string;
  /** Holds what the processes write; the caller removes it. */
  readonly scratchDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Within this time a file must not only pass but end: nothing may keep its process alive. */
  readonly fileTimeoutMs: number;
  /** Aborted with the name of the signal that the files' processes get. */
  readonly interruption: AbortSignal;
}

/** A test file that has been run. */
export interface TestRun {
  readonly file: string;
  readonly tally: TestTally;
  readonly durationMs: number;
  /** What the file reported and printed. */
  readonly output: string;
  /** What was wrong with the process itself; null when its tests tell everything. */
  readonly problem: string | null;
}

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** After its deadline a process should end itself. One that computes forever cannot. */
const DEADLINE_GRACE_MS = 5000;
const INTERRUPTION_GRACE_MS = 5000;

const DEADLINE_MODULE = new URL('test-deadline.ts', import.meta.url).href;

/**
 * Runs one test file in a process of its own and in a process group of its own, so that nothing it
 * started outlives it. Never throws for anything that the file does.
 *
 * Node is given the file itself and not `--test`: that would add a second process between, and
 * would end a file whose tests are over although handles are still open.
 */
export async function runTestFile(file: string, setting: TestSetting): Promise<TestRun> {
  const directory = await mkdtemp(join(setting.scratchDirectory, 'file-'));
  const outputPath = join(directory, 'output.txt');
  const tapPath = join(directory, 'results.tap');
  const startedAtMs = performance.now();
  const ending = await runProcess(file, setting, outputPath, tapPath);
  const durationMs = performance.now() - startedAtMs;

  const reported = readTapTally(await readFile(tapPath, 'utf8').catch(() => ''));
  const problem = processProblem(ending, reported, setting.fileTimeoutMs);
  const tally = reported ?? EMPTY_TALLY;
  return {
    file,
    // A file that went wrong as a whole is one failure, whatever its tests say.
    tally: problem === null ? tally : { ...tally, failed: tally.failed + 1 },
    durationMs,
    output: withoutCounts(await readFile(outputPath, 'utf8')),
    problem,
  };
}

async function runProcess(
  file: string,
  setting: TestSetting,
  outputPath: string,
  tapPath: string,
): Promise<Ending> {
  // A file and not a pipe: a pipe stays open for as long as any descendant has it.
  await using output = await open(outputPath, 'w');
  const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [...nodeArguments(tapPath), join(setting.root, file)], {
    cwd: setting.root,
    env: {
      ...inherited,
      ...setting.environment,
      HOMING_TEST_DEADLINE_MS: String(setting.fileTimeoutMs),
    },
    stdio: ['ignore', output.fd, output.fd],
    detached: process.platform !== 'win32',
  });
  using timers = new DisposableStack();
  const killAfter = (delayMs: number) =>
    timers.adopt(
      setTimeout(() => signalGroup(child.pid, 'SIGKILL'), delayMs),
      clearTimeout,
    );
  const interrupt = () => {
    signalGroup(child.pid, setting.interruption.reason as NodeJS.Signals);
    killAfter(INTERRUPTION_GRACE_MS);
  };
  killAfter(setting.fileTimeoutMs + DEADLINE_GRACE_MS);
  setting.interruption.addEventListener('abort', interrupt);
  timers.defer(() => setting.interruption.removeEventListener('abort', interrupt));

  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  signalGroup(child.pid, 'SIGKILL');
  return { code, signal };
}

function nodeArguments(tapPath: string): readonly string[] {
  return [
    '--conditions=source',
    '--no-warnings',
    `--import=${DEADLINE_MODULE}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${tapPath}`,
  ];
}

function processProblem(
  { code, signal }: Ending,
  tally: TestTally | null,
  fileTimeoutMs: number,
): string | null {
  const limit = `did not end within ${fileTimeoutMs / 1000} s`;
  if (code === DEADLINE_EXIT_CODE) {
    return `${limit}: a test never ends, or a handle that it opened stays open (listed above)`;
  }
  if (signal === 'SIGKILL') return `${limit} and did not react: something computes without a pause`;
  if (signal !== null) return `was ended by ${signal}`;
  if (tally === null) {
    return code === 0 ? 'contains no test' : `ended with code ${code} before its tests did`;
  }
  if (code !== 0 && tally.failed === 0) {
    return `ended with code ${code} although no test failed: see the error after the tests`;
  }
  return null;
}

/** Node counts the tests of each file at its end; the runner's own count replaces that. */
function withoutCounts(output: string): string {
  const counts =
    /^ℹ (tests|suites|pass|fail|cancelled|skipped|todo) \d+\n|^ℹ duration_ms [\d.]+\n/gm;
  return output.replaceAll(counts, '').trimEnd();
}

function signalGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal);
  } catch (error) {
    // The group is gone, which is what every signal here asks for.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
