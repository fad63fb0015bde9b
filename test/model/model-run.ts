import fc from 'fast-check';
import { createSeededRandom } from '../seeded-random.ts';
import { historyCommands } from './commands.ts';
import { Drawer } from './drawer.ts';
import type { Ground } from './ground.ts';
import { History, Violation } from './history.ts';

/** What became of many random histories. */
export interface ModelReport {
  readonly histories: number;
  /** The first violation that was found, shrunk, and how to see it again. */
  readonly found: Finding | null;
}

export interface Finding {
  readonly violation: string;
  /** After so many histories, those of the other lanes included. */
  readonly histories: number;
  /** With one lane, this seed and so many runs, it is found and shrunk again. */
  readonly seed: number;
  readonly runs: number;
}

export interface ModelRunOptions {
  readonly runs: number;
  readonly seed: number;
  /** How many at once: they wait for each other's sends, not for the server. */
  readonly lanes?: number;
  /** Told the number of histories so far. */
  readonly onProgress?: (histories: number) => void;
}

const LANES = 64;
const SEEDS = 2 ** 31;
/** After so many histories the clock moves on to the next second, when none is under way. */
const SPELL = 2_048;

/**
 * Runs random histories, many beside each other, each with installations, users and tokens of its
 * own, until one fails or all are done. A failing one is shrunk to the few steps that matter.
 */
export async function runModel(ground: Ground, options: ModelRunOptions): Promise<ModelReport> {
  const { runs, seed, onProgress } = options;
  const seeds = createSeededRandom(seed);
  const tally = new Tally(onProgress ?? (() => {}));
  const findings: Finding[] = [];
  for (let first = 0; first < runs && findings.length === 0; first += SPELL) {
    const left = Math.min(SPELL, runs - first);
    const lanes = Math.min(options.lanes ?? LANES, left);
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        const numRuns = Math.floor(left / lanes) + (lane < left % lanes ? 1 : 0);
        // The one lane of a repetition has the seed that it is told.
        const laneSeed = lanes === 1 && first === 0 ? seed : seeds.below(SEEDS);
        const details = await fc.check(propertyOf(ground, laneSeed, tally), {
          seed: laneSeed,
          numRuns,
        });
        if (details.failed) findings.push(toFinding(details, tally.histories));
      }),
    );
    await ground.nextSecond();
  }
  return { histories: tally.histories, found: findings[0] ?? null };
}

/** Counts the histories of all lanes. After a violation only its own lane goes on, to shrink it. */
class Tally {
  readonly #onProgress: (histories: number) => void;
  #failedLane: number | null = null;
  histories = 0;

  constructor(onProgress: (histories: number) => void) {
    this.#onProgress = onProgress;
  }

  isOpenTo(lane: number): boolean {
    return this.#failedLane === null || this.#failedLane === lane;
  }

  begin(): void {
    if (this.#failedLane !== null) return;
    this.histories += 1;
    this.#onProgress(this.histories);
  }

  fail(lane: number): void {
    this.#failedLane ??= lane;
  }
}

function propertyOf(ground: Ground, lane: number, tally: Tally) {
  return fc.asyncProperty(historyCommands(), async (commands) => {
    if (!tally.isOpenTo(lane)) return;
    tally.begin();
    try {
      const history = new History(ground);
      await fc.asyncModelRun(() => ({ model: new Drawer(), real: history }), commands);
      await history.compare();
      await history.send(['Anna', 'Ben', 'Mallory']);
    } catch (error) {
      tally.fail(lane);
      if (tally.isOpenTo(lane)) throw error;
    }
  });
}

function toFinding<T>(details: fc.RunDetails<T>, histories: number): Finding {
  const { errorInstance, seed, counterexamplePath } = details;
  const [failedRun] = (counterexamplePath ?? '0').split(':');
  const violation =
    errorInstance instanceof Violation ? errorInstance.message : String(errorInstance);
  return { violation, histories, seed, runs: Number(failedRun) + 1 };
}
