import fc from 'fast-check';
import type { Progress } from '../progress.ts';
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
  /** Default true: the history that is told is the shortest that shows the violation. */
  readonly shrinks?: boolean;
  /** Told the number of histories so far, and of violations. */
  readonly onProgress?: Progress;
}

const LANES = 64;
const SEEDS = 2 ** 31;
/**
 * After so many histories of each lane all wait for each other, and the clock moves on to the next
 * second: every send takes a little of the second in which a history has to stay.
 */
const SPELL = 24;

/**
 * Runs random histories, many beside each other, each with installations, users and tokens of its
 * own, until one fails or all are done. A failing one is shrunk to the few steps that matter.
 */
export async function runModel(ground: Ground, options: ModelRunOptions): Promise<ModelReport> {
  const { runs, seed, onProgress } = options;
  const seeds = createSeededRandom(seed);
  const tally = new Tally(onProgress ?? (() => {}));
  const findings: Finding[] = [];
  const most = options.lanes ?? LANES;
  for (let first = 0; first < runs && findings.length === 0; first += SPELL * most) {
    const left = Math.min(SPELL * most, runs - first);
    const lanes = Math.min(most, left);
    await Promise.all(
      Array.from({ length: lanes }, async (_, lane) => {
        const numRuns = Math.floor(left / lanes) + (lane < left % lanes ? 1 : 0);
        // The one lane of a repetition has the seed that it is told.
        const laneSeed = lanes === 1 && first === 0 ? seed : seeds.below(SEEDS);
        const details = await fc.check(propertyOf(ground, laneSeed, tally), {
          seed: laneSeed,
          numRuns,
          endOnFailure: options.shrinks === false,
        });
        if (details.failed) findings.push(toFinding(details, tally.histories));
      }),
    );
  }
  return { histories: tally.histories, found: findings[0] ?? null };
}

/** Counts the histories of all lanes. After a violation only its own lane goes on, to shrink it. */
class Tally {
  readonly #onProgress: Progress;
  #failedLane: number | null = null;
  #underWay = 0;
  histories = 0;

  constructor(onProgress: Progress) {
    this.#onProgress = onProgress;
  }

  isOpenTo(lane: number): boolean {
    return this.#failedLane === null || this.#failedLane === lane;
  }

  /** True when no other history is under way. */
  begin(): boolean {
    if (this.#failedLane === null) {
      this.histories += 1;
      this.#onProgress(this.histories, 0);
    }
    this.#underWay += 1;
    return this.#underWay === 1;
  }

  end(): void {
    this.#underWay -= 1;
  }

  fail(lane: number): void {
    if (this.#failedLane !== null) return;
    this.#failedLane = lane;
    this.#onProgress(this.histories, 1);
  }
}

function propertyOf(ground: Ground, lane: number, tally: Tally) {
  const accountMode = fc.constantFrom('exclusive', 'multi');
  return fc.asyncProperty(accountMode, historyCommands(), async (mode, commands) => {
    if (!tally.isOpenTo(lane)) return;
    try {
      if (tally.begin()) await ground.nextSecond();
      const history = new History(ground, mode);
      await fc.asyncModelRun(() => ({ model: new Drawer(mode), real: history }), commands);
      await history.compare();
      await history.send(['Anna', 'Ben', 'Mallory']);
    } catch (error) {
      tally.fail(lane);
      if (tally.isOpenTo(lane)) throw error;
    } finally {
      tally.end();
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
