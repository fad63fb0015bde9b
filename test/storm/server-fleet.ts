import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '@homing/server';
import type { Network } from '../network.ts';
import { SecondServer } from '../second-server.ts';
import type { SeededRandom } from '../seeded-random.ts';

const PAUSE_MS = 200;
/** A start may meet a database that is down; it comes back within seconds. */
const MOST_STARTS = 300;

/** Server processes of a network, of which any may die at any time. */
export class ServerFleet implements AsyncDisposable {
  readonly #random: SeededRandom;
  readonly #apis: readonly SecondServer[];
  readonly #workers: readonly SecondServer[];
  #kills = 0;

  constructor(network: Network, random: SeededRandom, size: number) {
    const { config, masterKey, clock } = network;
    const servers = (role: Config['role']): readonly SecondServer[] =>
      Array.from(
        { length: size },
        () => new SecondServer({ config: { ...config, role }, masterKey, clock }),
      );
    this.#random = random;
    this.#apis = servers('api');
    this.#workers = servers('worker');
  }

  get kills(): number {
    return this.#kills;
  }

  async start(): Promise<void> {
    await Promise.all([...this.#apis, ...this.#workers].map(startSomehow));
  }

  /** Nobody but `strike` ends a process: one that died by itself and was started again is found. */
  assertNoneDied(): void {
    const deaths = [...this.#apis, ...this.#workers].flatMap((server) => server.deaths);
    assert.deepEqual(deaths, [], 'servers that died by themselves');
  }

  /** Base URL of an API that runs; throws when all are down, as a balancer refuses. */
  url(): string {
    return this.#random.pick(this.#apis.filter((api) => api.isRunning)).url;
  }

  /** Ends one process as a power cut would, and starts it again. */
  async strike(): Promise<void> {
    const victim = this.#random.pick([...this.#apis, ...this.#workers]);
    await victim.kill();
    this.#kills += 1;
    await startSomehow(victim);
  }

  async drain(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.drain()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#apis, ...this.#workers].map((one) => one[Symbol.asyncDispose]()));
  }
}

async function startSomehow(server: SecondServer): Promise<void> {
  for (let start = 1; !server.isRunning; start += 1) {
    await server.start().catch((error: unknown) => {
      assert(start < MOST_STARTS, `it does not start: ${String(error)}`);
    });
    if (!server.isRunning) await delay(PAUSE_MS);
  }
}
