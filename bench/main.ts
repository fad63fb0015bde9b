// `npm run bench -- NAME [--json] [--no-reach] [--OPTION NUMBER …]`: runs one benchmark. Ends with
// 0 when every reach is met, 1 when one is not, 2 when it cannot be run here or was called wrongly,
// and like a shell when a signal ended it.
import { constants } from 'node:os';
import type { Benchmark } from './benchmark.ts';
import { campaignBenchmark } from './campaign.ts';
import { readCommandLine } from './command-line.ts';
import { describeMachine } from './machine.ts';
import { isMet } from './reach.ts';
import { fenceBenchmark } from './fence.ts';
import { INSTALL_REFERENCES, missingLibraries } from './reference-library.ts';
import { registryBenchmark } from './registry.ts';
import { jsonReport, textReport } from './report.ts';
import { startBenchmark } from './start.ts';
import { missingTools } from './tool.ts';
import { transactionalBenchmark } from './transactional.ts';
import { webPushBenchmark } from './webpush.ts';
import { wireFcmBenchmark } from './wire-fcm.ts';
import { wireBenchmark } from './wire.ts';

const BENCHMARKS: readonly Benchmark[] = [
  wireBenchmark,
  wireFcmBenchmark,
  webPushBenchmark,
  campaignBenchmark,
  transactionalBenchmark,
  fenceBenchmark,
  registryBenchmark,
  startBenchmark,
];

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type Signal = (typeof SIGNALS)[number];

const interruption = new AbortController();
for (const signal of SIGNALS) process.once(signal, () => interruption.abort(signal));
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  const command = readCommandLine(BENCHMARKS, args);
  if (command.kind === 'wrong') return refuse(command.why);
  const { benchmark, options, asJson, judgesReach } = command;
  // Processor time is read from /proc, which only Linux has.
  if (process.platform !== 'linux') return refuse('benchmarks run on Linux only');
  const missing = missingTools(benchmark.tools);
  if (missing.length > 0) {
    const list = missing.map((tool) => `${tool.command} (Debian: ${tool.packageName})`).join(', ');
    return refuse(`${benchmark.name} needs ${list}`);
  }
  const uninstalled = missingLibraries(benchmark.libraries);
  if (uninstalled.length > 0) {
    return refuse(`${benchmark.name} needs ${uninstalled.join(', ')}: ${INSTALL_REFERENCES}`);
  }
  const machine = describeMachine();
  const setting = { options, say, interruption: interruption.signal };
  const result = await benchmark.run(setting).catch((error: unknown) => {
    // What an interruption breaks on its way is no news.
    if (interruption.signal.aborted) return null;
    throw error;
  });
  if (result === null) return 128 + constants.signals[interruption.signal.reason as Signal];
  const judged = judgesReach ? result : { ...result, reaches: [] };
  console.log(
    asJson ? jsonReport(benchmark.name, machine, judged) : `\n${textReport(machine, judged)}`,
  );
  return judged.reaches.every(isMet) ? 0 : 1;
}

/** The result alone goes to the standard output, so that it can be piped. */
function say(line: string): void {
  console.error(line);
}

function refuse(why: string): number {
  say(`bench: ${why}`);
  return 2;
}
