import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Benchmark } from '../../bench/benchmark.ts';
import { INSTALL_REFERENCES, missingLibraries } from '../../bench/reference-library.ts';
import { missingTools } from '../../bench/tool.ts';

export interface BenchRun {
  readonly code: number;
  readonly output: string;
  readonly complaints: string;
}

/** What `--json` prints. */
export interface BenchReport {
  readonly name: string;
  readonly figures: readonly {
    readonly name: string;
    readonly spread: { readonly median: number };
    readonly cpuMicroseconds: Readonly<Record<string, number>>;
  }[];
  readonly notes: readonly string[];
  readonly reach: readonly unknown[];
}

const MAIN = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

/** Runs the command as a person does, and waits for its end. */
export async function bench(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<BenchRun> {
  const argv = ['--conditions=source', '--no-warnings', MAIN, ...args];
  const child = spawn(process.execPath, argv, { env: { ...process.env, ...environment } });
  const [output, complaints, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { code, output, complaints };
}

/** Why a benchmark cannot be run here; false when it can. */
export function whyNot({
  tools,
  libraries,
}: Pick<Benchmark, 'tools' | 'libraries'>): string | false {
  const missing = missingTools(tools).map((tool) => tool.packageName);
  if (missing.length > 0) return `install Debian's ${missing.join(' and ')}`;
  return missingLibraries(libraries).length > 0 && INSTALL_REFERENCES;
}
