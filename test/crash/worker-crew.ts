import type { Ending, HomingProcess } from '../../packages/homing/test/homing-process.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { KillSite } from './kill-site.ts';

/** A worker, and whether it is far enough to have work. */
interface Member {
  readonly process: HomingProcess;
  readonly works: Promise<unknown>;
  isWorking: boolean;
  isKilled: boolean;
}

const SURVIVORS = 1;

/** So many workers, each in a process of its own, one of which is killed now and then. */
export class WorkerCrew implements AsyncDisposable {
  readonly #site: KillSite;
  readonly #members: Member[];
  readonly #deaths: Ending[] = [];

  constructor(site: KillSite, size: number) {
    this.#site = site;
    this.#members = Array.from({ length: size }, () => this.#hire());
  }

  /** How each of those ended that nobody killed. */
  get deaths(): readonly Ending[] {
    return this.#deaths;
  }

  /** Resolves when all of them work. */
  async ready(): Promise<void> {
    await Promise.all(this.#members.map(({ works }) => works));
  }

  /**
   * Kills one that works, and starts another in its place; resolves with the id of the process that
   * is gone. Waits while nobody else works: without anybody there is nothing to be seen.
   */
  async killOne(random: SeededRandom): Promise<number> {
    while (this.#working.length < SURVIVORS + 1) await this.#nextToWork();
    const victim = random.pick(this.#working);
    victim.isKilled = true;
    await victim.process.kill();
    this.#members[this.#members.indexOf(victim)] = this.#hire();
    return victim.process.pid;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const member of this.#members) member.isKilled = true;
    await Promise.all(this.#members.map(({ process }) => process[Symbol.asyncDispose]()));
  }

  get #working(): readonly Member[] {
    return this.#members.filter(({ isWorking }) => isWorking);
  }

  async #nextToWork(): Promise<void> {
    const starting = this.#members.filter(({ isWorking }) => !isWorking);
    await Promise.race(starting.map(({ works }) => works));
  }

  #hire(): Member {
    const process = this.#site.startWorker();
    const works = process.says(/^Homing works\.$/m).then(() => (member.isWorking = true));
    // One that is ended while it starts is nobody's concern.
    works.catch(() => {});
    const member: Member = { process, works, isWorking: false, isKilled: false };
    void process.ended.then((ending) => member.isKilled || this.#deaths.push(ending));
    return member;
  }
}
