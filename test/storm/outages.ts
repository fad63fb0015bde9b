import { setTimeout as delay } from 'node:timers/promises';
import type { KillablePostgres } from '../crash/killable-postgres.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { ServerFleet } from './server-fleet.ts';
import { repeat } from './together.ts';

export interface OutagesOptions {
  readonly database: KillablePostgres;
  readonly fleet: ServerFleet;
  readonly random: SeededRandom;
}

const SERVER_KILL_MS = 5_000;
const DATABASE_CRASH_MS = { least: 5_000, most: 10_000 };
const DATABASE_DOWN_MS = 2_000;

/** PostgreSQL and the servers lose power, again and again. */
export class Outages {
  readonly #options: OutagesOptions;
  #databaseCrashes = 0;

  constructor(options: OutagesOptions) {
    this.#options = options;
  }

  get databaseCrashes(): number {
    return this.#databaseCrashes;
  }

  get serverKills(): number {
    return this.#options.fleet.kills;
  }

  /** Goes on until the signal, and leaves everything up. */
  strike(signal: AbortSignal): readonly Promise<void>[] {
    const { fleet } = this.#options;
    return [
      repeat(
        signal,
        () => SERVER_KILL_MS,
        () => fleet.strike(),
      ),
      repeat(
        signal,
        () => this.#crashPauseMs(),
        () => this.#crash(),
      ),
    ];
  }

  #crashPauseMs(): number {
    const { least, most } = DATABASE_CRASH_MS;
    return least + this.#options.random.next() * (most - least);
  }

  async #crash(): Promise<void> {
    const { database, fleet, random } = this.#options;
    fleet.assertNoneDied();
    const fire = await database.aim();
    fire();
    this.#databaseCrashes += 1;
    await delay(random.next() * DATABASE_DOWN_MS);
    await database.recover();
  }
}
