import type { Figure } from './figure.ts';
import type { Reach } from './reach.ts';
import type { Tool } from './tool.ts';

/** The numbers that a benchmark takes from the command line, each with its default. */
export type BenchmarkOptions = Readonly<Record<string, number>>;

export interface BenchmarkResult {
  readonly figures: readonly Figure[];
  readonly reaches: readonly Reach[];
  /** What a reader has to know beside the figures, in sentences. */
  readonly notes: readonly string[];
}

/** What a benchmark gets from the harness. */
export interface BenchmarkSetting<Options extends BenchmarkOptions> {
  readonly options: Options;
  /** Tells a waiting person what happens; never part of the result. */
  readonly say: (line: string) => void;
  /** Aborted when a person has seen enough; what was started ends, and nothing is left behind. */
  readonly interruption: AbortSignal;
}

/** Something of ours that is measured against a reference in the same run. */
export interface Benchmark<Options extends BenchmarkOptions = BenchmarkOptions> {
  readonly name: string;
  /** What is measured, in one line. */
  readonly summary: string;
  readonly defaults: Options;
  /** Programs that it needs and that npm does not install. */
  readonly tools: readonly Tool[];
  /** Libraries of `references/` that it compares with. */
  readonly libraries: readonly string[];
  /** Throws when an answer or a row is wrong: figures of a wrong result mean nothing. */
  run(setting: BenchmarkSetting<Options>): Promise<BenchmarkResult>;
}
