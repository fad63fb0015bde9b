import { readBanner, startDev } from '../packages/homing/test/dev-process.ts';
import { ScratchDirectory } from '../packages/homing/test/scratch-directory.ts';
import type { Benchmark } from './benchmark.ts';
import { durationFigure } from './figure.ts';
import { cpuSecondsOf, peakRssBytesOf } from './process-account.ts';
import { atMost } from './reach.ts';
import { alternate, type Round } from './round.ts';

interface StartOptions extends Readonly<Record<string, number>> {
  readonly rounds: number;
}

/**
 * From the spawn of the process to its banner: what a person waits who types the command, the start
 * of Node and the import of all modules included.
 */
export const startBenchmark: Benchmark<StartOptions> = {
  name: 'start',
  summary: '`homing dev` until it serves, in a fresh directory and again',
  defaults: { rounds: 5 },
  tools: [],
  libraries: [],
  async run({ options, say, interruption }) {
    await using scratch = await ScratchDirectory.create();
    let directory = scratch.next();
    const first = async (): Promise<Round> => {
      directory = scratch.next();
      return start(directory);
    };
    const contestants = [
      { name: 'first start', round: first },
      { name: 'second start', round: () => start(directory) },
    ];
    const results = await alternate(contestants, {
      rounds: options.rounds,
      say,
      settle: null,
      interruption,
    });
    const figures = [...results].map(([name, rounds]) => durationFigure(name, rounds));
    const median = (name: string): number =>
      figures.find((figure) => figure.name === name)?.spread.median ?? Number.NaN;
    return {
      figures,
      notes: ['The processor time is that of the process and of all that it started.'],
      reaches: [
        atMost('first start in s', median('first start'), 3),
        atMost('second start in s', median('second start'), 1),
      ],
    };
  },
};

async function start(directory: string): Promise<Round> {
  const startedAtMs = performance.now();
  await using dev = startDev(directory);
  await readBanner(dev);
  const seconds = (performance.now() - startedAtMs) / 1000;
  const cpuSeconds = { homing: cpuSecondsOf(dev.pid) };
  const peakRssBytes = peakRssBytesOf(dev.pid);
  await dev.stop();
  return { operations: 1, seconds, cpuSeconds, peakRssBytes };
}
