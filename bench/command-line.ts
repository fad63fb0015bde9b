import type { Benchmark, BenchmarkOptions } from './benchmark.ts';

/** What was asked for, or why it cannot be done. */
export type CommandLine =
  | {
      readonly kind: 'run';
      readonly benchmark: Benchmark;
      readonly options: BenchmarkOptions;
      readonly asJson: boolean;
      /** False for a short run, whose figures are no figures. */
      readonly judgesReach: boolean;
    }
  | { readonly kind: 'wrong'; readonly why: string };

/** Reads `NAME [--json] [--no-reach] [--OPTION NUMBER …]`. */
export function readCommandLine(
  benchmarks: readonly Benchmark[],
  [name, ...rest]: readonly string[],
): CommandLine {
  const benchmark = benchmarks.find((candidate) => candidate.name === name);
  if (benchmark === undefined) return { kind: 'wrong', why: usage(benchmarks) };
  const options: Record<string, number> = { ...benchmark.defaults };
  const flags = new Set<string>();
  for (let index = 0; index < rest.length; index += 1) {
    const word = rest[index] ?? '';
    const option = word.replace(/^--/, '');
    if (word === '--json' || word === '--no-reach') {
      flags.add(word);
    } else if (word.startsWith('--') && option in benchmark.defaults) {
      index += 1;
      const value = Number(rest[index]);
      if (!Number.isInteger(value) || value < 1) {
        return { kind: 'wrong', why: `${word} takes a whole number from 1, not ${rest[index]}` };
      }
      options[option] = value;
    } else {
      const known = Object.keys(benchmark.defaults).map((key) => `--${key}`);
      return { kind: 'wrong', why: `${name} knows ${known.join(', ')} and no ${word}` };
    }
  }
  const [asJson, judgesReach] = [flags.has('--json'), !flags.has('--no-reach')];
  return { kind: 'run', benchmark, options, asJson, judgesReach };
}

function usage(benchmarks: readonly Benchmark[]): string {
  const width = Math.max(...benchmarks.map((benchmark) => benchmark.name.length));
  const lines = benchmarks.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
  return `NAME [--json] [--no-reach] [--OPTION NUMBER …], NAME one of\n${lines.join('\n')}`;
}
