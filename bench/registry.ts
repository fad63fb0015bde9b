import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScratchDirectory } from '../packages/homing/test/scratch-directory.ts';
import type { Benchmark, BenchmarkResult, BenchmarkSetting } from './benchmark.ts';
import { rateFigure } from './figure.ts';
import { Meter } from './meter.ts';
import { atLeast } from './reach.ts';
import { checkAnswers } from './registry/check-answers.ts';
import { CHANGING, CHECK_INS, EVERYDAY, type Mix } from './registry/mix.ts';
import { PGBENCH, runPgbench } from './registry/pgbench.ts';
import { copyForReference } from './registry/reference-table.ts';
import { rowWrites, writesBetween } from './registry/row-writes.ts';
import { openSite, type ServedApi, type Site } from './site/site.ts';
import type { Load } from './registry/load.ts';
import { Traffic, type PlannedRequest } from './registry/traffic.ts';
import { runWrk, WRK, WRK_THREADS, type WrkRun } from './registry/wrk.ts';
import { alternate, type Round } from './round.ts';

interface RegistryOptions extends Readonly<Record<string, number>> {
  readonly rows: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly connections: number;
}

/**
 * Durable registrations over HTTP against one guarded upsert per transaction on the same database.
 * Phases: fill the database; check in only, and count the rows that were written; rounds of the
 * reference and of two mixes in turn; a last round whose answers are compared with the rows.
 */
export const registryBenchmark: Benchmark<RegistryOptions> = {
  name: 'registry',
  summary: 'durable registrations over HTTP, against guarded upserts by pgbench',
  defaults: { rows: 1_000_000, seconds: 10, rounds: 5, connections: 64 },
  tools: [WRK, PGBENCH],
  libraries: [],
  async run(setting) {
    await using scratch = await ScratchDirectory.create();
    const options = { rows: setting.options.rows, providers: null, complete: copyForReference };
    await using site = await openSite(scratch, options, setting);
    await using requests = await makeRequestDirectory();
    const { app, signer } = site;
    const { rows } = setting.options;
    const traffic = new Traffic({ rows, threads: WRK_THREADS, app, signer });
    return await new RegistryRun(setting, site, traffic, requests.path).run();
  },
};

/** Before the first round of a mix nobody knows how many requests will be sent in a second. */
const FIRST_GUESS_PER_SECOND = 20_000;
/** Later rounds are prepared for twice the rate of the last one, and at least for this one. */
const RESERVE = 2;
const LEAST_PER_SECOND = 5_000;

class RegistryRun {
  readonly #setting: BenchmarkSetting<RegistryOptions>;
  readonly #site: Site;
  readonly #traffic: Traffic;
  readonly #directory: string;
  readonly #ratesSeen = new Map<Mix, number>();

  constructor(
    setting: BenchmarkSetting<RegistryOptions>,
    site: Site,
    traffic: Traffic,
    directory: string,
  ) {
    this.#setting = setting;
    this.#site = site;
    this.#traffic = traffic;
    this.#directory = directory;
  }

  async run(): Promise<BenchmarkResult> {
    const checkIns = await this.#checkInsOnly();
    await using api = await this.#site.serveApi();
    const contestants = [
      { name: 'pgbench upsert', round: () => this.#referenceRound(api) },
      { name: 'everyday mix', round: () => this.#round(api, EVERYDAY) },
      { name: 'changing writes', round: () => this.#round(api, CHANGING) },
    ];
    const { rounds } = this.#setting.options;
    const results = await alternate(contestants, {
      rounds,
      say: this.#setting.say,
      interruption: this.#setting.interruption,
      settle: () => this.#checkpoint(),
    });
    const compared = await this.#recordedRound(api);
    const figures = [...results].map(([name, rounds]) => rateFigure(name, rounds));
    const [reference, everyday, changing] = figures.map(({ spread }) => spread.median);
    assert(reference !== undefined && everyday !== undefined && changing !== undefined);
    return {
      figures: [...figures, rateFigure('check-ins only', [checkIns])],
      notes: [
        'µs are processor time per operation: of ours, of all of PostgreSQL, and of the load.',
        `${checkIns.operations} unchanged check-ins wrote no row.`,
        `${compared} acknowledged packets were compared with their rows, and all were there.`,
      ],
      reaches: [
        atLeast('everyday mix / pgbench', everyday / reference, 2),
        atLeast('changing writes / pgbench', changing / reference, 1),
      ],
    };
  }

  /** On a server of its own, because sessions report their writes when they end. */
  async #checkInsOnly(): Promise<Round> {
    const before = await rowWrites(this.#site.db);
    const round = await this.#serveCheckIns();
    const written = writesBetween(before, await rowWrites(this.#site.db));
    assert.deepEqual(written, {}, 'unchanged check-ins wrote rows');
    return round;
  }

  async #serveCheckIns(): Promise<Round> {
    await using api = await this.#site.serveApi();
    // The first one warms up.
    await this.#round(api, CHECK_INS);
    return await this.#round(api, CHECK_INS);
  }

  async #round(api: ServedApi, mix: Mix): Promise<Round> {
    const { seconds } = this.#setting.options;
    await this.#prepare(api, mix, seconds);
    const meter = this.#meter(api);
    const { run } = await this.#send(api, seconds, false);
    this.#ratesSeen.set(mix, run.requests / run.seconds);
    return meter.round(run.requests, run.seconds);
  }

  async #referenceRound(api: ServedApi): Promise<Round> {
    const { rows } = this.#setting.options;
    const { appRef, postgres } = this.#site;
    const meter = this.#meter(api);
    const run = await runPgbench(
      postgres,
      { appRef, rows },
      this.#load(this.#setting.options.seconds),
    );
    return meter.round(run.transactions, run.seconds);
  }

  /** Keeping the answers slows the load down, so this round is not measured. */
  async #recordedRound(api: ServedApi): Promise<number> {
    await this.#prepare(api, CHANGING, 1);
    const { sent } = await this.#send(api, 1, true);
    return checkAnswers(this.#site.db, this.#directory, sent);
  }

  async #prepare(api: ServedApi, mix: Mix, seconds: number): Promise<void> {
    const seen = this.#ratesSeen.get(mix);
    const perSecond =
      seen === undefined ? FIRST_GUESS_PER_SECOND : Math.max(LEAST_PER_SECOND, seen * RESERVE);
    const count = Math.ceil((perSecond * seconds) / WRK_THREADS);
    await this.#traffic.write(this.#directory, new URL(api.url).host, mix, count);
  }

  async #send(
    api: ServedApi,
    seconds: number,
    record: boolean,
  ): Promise<{ readonly run: WrkRun; readonly sent: readonly PlannedRequest[] }> {
    const run = await runWrk(api.url, this.#directory, this.#load(seconds), record);
    return { run, sent: this.#traffic.settle(run.consumed) };
  }

  #load(seconds: number): Load {
    const { options, interruption } = this.#setting;
    return { connections: options.connections, seconds, interruption };
  }

  #meter(api: ServedApi): Meter {
    const pids = { homing: api.pid, database: this.#site.postgres.pid };
    return new Meter({ pids, ended: 'load', peakOf: 'homing' });
  }

  async #checkpoint(): Promise<void> {
    await this.#site.db.unsafe('checkpoint');
  }
}

/** In memory where there is such a place, so that the load's files leave the disk to PostgreSQL. */
async function makeRequestDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const parent = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const path = await mkdtemp(join(parent, 'homing-bench-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}
