import type { Clock } from '../domain/clock.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Lane as LaneName } from '../domain/notification.ts';
import { paceBucket } from '../domain/rate.ts';
import { relieve } from '../feedback/relieve.ts';
import { expandWalk } from '../sending/expand-walk.ts';
import { createPushMaker } from '../sending/push-maker.ts';
import { createRenderer } from '../sending/render.ts';
import { countOpenWork, releaseChunk, type LeasedChunk } from '../store/chunks.ts';
import { countAhead, leaseChunks, leaseLapsed, type LeaseRequest } from '../store/leases.ts';
import { leaseProbes } from '../store/probes.ts';
import type { Database } from '../store/sql.ts';
import { leaseTickets } from '../store/tickets.ts';
import { ChunkRun } from './chunk-run.ts';
import { createOwnSteps, createSharedSteps, type ChunkSteps } from './chunk-steps.ts';
import { LaneBook, type LaneUse, type OpenLane } from './lane-book.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import type { DispatcherMetrics } from './metrics.ts';
import { vacancies } from './places.ts';
import { runProbe } from './probe-run.ts';
import { promoteRetries } from './promote-retries.ts';
import { RateLimiters } from './rate-limiters.ts';
import { runReceipts } from './receipt-run.ts';
import { RightOfWay } from './right-of-way.ts';
import type { LaneObserver } from './stop-report.ts';
import { WakeUp } from './wake-up.ts';

export interface DispatcherOptions {
  readonly db: Database;
  /** A connection of its own, on which leases are prolonged. */
  readonly leaseDb: Database;
  readonly clock: Clock;
  readonly random: () => number;
  /** Names this worker in leases. */
  readonly owner: string;
  readonly openLane: OpenLane;
  readonly laneObserver: LaneObserver;
  readonly metrics: DispatcherMetrics;
}

interface RunningChunk {
  readonly chunk: LeasedChunk;
  /** Null while it is prepared, and for one that is only resolved. */
  run: ChunkRun | null;
}

/**
 * The loop of a worker. Each turn, in this order:
 *
 *   review    lanes whose credential was changed or retired are left behind
 *   lease     as many transactional chunks as there is room for, oldest first
 *   probes    what belongs to no notification goes out on its own
 *   receipts  what providers have to say later is asked for
 *   relieve   what the freeze of a host left to be done, a bit of it
 *   retries   due deliveries become chunks
 *   lease     as many bulk chunks as there is room for
 *   start     each leased chunk runs on its own: expand, or gate → send → settle
 *   wait      until work is announced, a place becomes free, or the poll is due
 *
 * Beside the loop the leases of what runs are prolonged. Announcements only shorten the wait; the
 * poll is the truth.
 */
export class Dispatcher implements AsyncDisposable {
  readonly #options: DispatcherOptions;
  readonly #lanes: LaneBook;
  readonly #wakeUp = new WakeUp();
  readonly #stopping = new AbortController();
  /** One chunk may be here twice: leased again while its former run awaits the last answers. */
  readonly #running = new Set<RunningChunk>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #limiters: RateLimiters;
  readonly #steps: Readonly<Record<LaneName, ChunkSteps>>;
  readonly #leaseKeeper: LeaseKeeper;
  readonly #rightOfWay = new RightOfWay();
  /**
   * Notifications of which enough is under way, and until when, on the scale of
   * `performance.now()`, they are not looked at again.
   */
  readonly #leftAlone = new Map<number, number>();
  #lastTurn: Promise<number> = Promise.resolve(0);
  #loop: Promise<void> | null = null;
  #isBusy = false;
  #probes = 0;
  #receiptRuns = 0;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    const { db, clock } = options;
    this.#limiters = new RateLimiters(db);
    this.#steps = {
      transactional: createSharedSteps(db, clock),
      bulk: createOwnSteps(db, clock),
    };
    this.#lanes = new LaneBook({ ...options, limiters: this.#limiters });
    this.#leaseKeeper = new LeaseKeeper({
      db: options.leaseDb,
      held: () => [...this.#running],
      onFault: (error) => options.metrics.fault(error),
    });
  }

  start(): void {
    this.#loop = this.#run();
    this.#leaseKeeper.start();
  }

  /** There is, or may be, new work. Cheap; may be called for every notification. */
  wake(): void {
    this.#wakeUp.ring();
  }

  /** Resolves when no work is left that could be done now; for tests and for `drain` tools. */
  async drain(): Promise<void> {
    for (;;) {
      if ((await this.#turn()) === 0) return;
      await Promise.all(this.#tasks);
    }
  }

  /** Deliveries of any age that are not final yet, chunks counted as one. */
  async openWork(): Promise<number> {
    return countOpenWork(this.#options.db);
  }

  /** Stops leasing, finishes what is in flight, gives the rest back and closes the providers. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort();
    this.#wakeUp.ring();
    await this.#loop;
    await Promise.all(this.#tasks);
    this.#leaseKeeper[Symbol.dispose]();
    await this.#lanes[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      try {
        this.#isBusy = (await this.#turn()) > 0;
      } catch (error) {
        // The database is away; the poll finds it when it is back.
        this.#options.metrics.fault(error);
        this.#isBusy = false;
      }
      await this.#wakeUp.wait(this.#isBusy ? LIMITS.pollBusyMs : LIMITS.pollIdleMs, signal);
    }
  }

  /** One turn at a time, so that what a turn has leased is always seen to be running. */
  #turn(): Promise<number> {
    const turn = this.#lastTurn.then(() => this.#takeTurn());
    this.#lastTurn = turn.catch(() => 0);
    return turn;
  }

  /** Returns how much there was to do; what runs already counts, for it may leave new work. */
  async #takeTurn(): Promise<number> {
    const { db, clock } = this.#options;
    const running = this.#tasks.size;
    await this.#guard(this.#lanes.review(clock()));
    const transactional = await this.#leaseAndStart('transactional');
    const probes = await this.#guard(this.#probe());
    const receipts = await this.#guard(this.#askForReceipts());
    const relieved = await this.#guard(relieve(db, clock()));
    const promoted = await this.#guard(promoteRetries(db, clock()));
    const bulk = await this.#leaseAndStart('bulk');
    return running + probes + receipts + relieved + promoted + transactional + bulk;
  }

  /** What cannot be done beside the first attempts must not keep them from going out. */
  async #guard(work: Promise<number | void>): Promise<number> {
    try {
      return (await work) ?? 0;
    } catch (error) {
      this.#options.metrics.fault(error);
      return 0;
    }
  }

  async #probe(): Promise<number> {
    const { db, clock, metrics } = this.#options;
    const limit = LIMITS.probesAtOnce - this.#probes;
    const { signal } = this.#stopping;
    if (limit <= 0 || signal.aborted) return 0;
    const startBefore = performance.now() + LIMITS.probeStartMs;
    const probes = await leaseProbes(db, limit, clock());
    for (const probe of probes) {
      this.#probes += 1;
      const run = async (): Promise<void> => {
        using use = probe.credentialRef === null ? null : await this.#openLane(probe.credentialRef);
        const lane = use?.lane ?? null;
        await runProbe({ db, clock, metrics, signal }, probe, { lane, startBefore });
      };
      this.#track(run(), () => (this.#probes -= 1));
    }
    return probes.length;
  }

  async #askForReceipts(): Promise<number> {
    const { db, clock, metrics, random } = this.#options;
    const { signal } = this.#stopping;
    if (this.#receiptRuns >= LIMITS.receiptRunsAtOnce || signal.aborted) return 0;
    const tickets = await leaseTickets(db, LIMITS.receiptsAtOnce, clock());
    const [first] = tickets;
    if (first === undefined) return 0;
    this.#receiptRuns += 1;
    const run = async (): Promise<void> => {
      using use = await this.#openLane(first.credentialRef);
      await runReceipts({ db, clock, metrics, random, signal }, tickets, use?.lane ?? null);
    };
    this.#track(run(), () => (this.#receiptRuns -= 1));
    if (tickets.length === LIMITS.receiptsAtOnce) this.wake();
    return tickets.length;
  }

  /** Returns how many were leased. */
  async #leaseAndStart(lane: LaneName): Promise<number> {
    const { clock, owner } = this.#options;
    const now = clock();
    const held = [...this.#running].filter(({ chunk }) => chunk.lane === lane);
    const { lapsed, next } = vacancies(lane, held, {
      notifications: this.#stillLeftAlone(),
      credentials: this.#lanes.leftAlone(now),
    });
    const common = { owner, lane, leaseMs: LIMITS.leaseMs, now };
    const takenOver = await this.#startAll(leaseLapsed, { ...common, ...lapsed });
    return takenOver + (await this.#startAll(leaseChunks, { ...common, ...next }));
  }

  async #startAll(lease: typeof leaseChunks, request: LeaseRequest): Promise<number> {
    if (request.limit <= 0 || this.#stopping.signal.aborted) return 0;
    const chunks = await lease(this.#options.db, request);
    for (const chunk of chunks) this.#start(chunk);
    if (chunks.length === request.limit) this.wake();
    return chunks.length;
  }

  #stillLeftAlone(): readonly number[] {
    for (const [ref, until] of this.#leftAlone) {
      if (until <= performance.now()) this.#leftAlone.delete(ref);
    }
    return [...this.#leftAlone.keys()];
  }

  #start(chunk: LeasedChunk): void {
    const entry: RunningChunk = { chunk, run: null };
    this.#running.add(entry);
    this.#track(this.#process(entry), () => this.#running.delete(entry));
  }

  #track(work: Promise<void>, onEnd: () => void): void {
    const task = work
      .catch((error: unknown) => this.#options.metrics.fault(error))
      .finally(() => {
        onEnd();
        this.#tasks.delete(task);
        this.#wakeUp.ring();
      });
    this.#tasks.add(task);
  }

  async #process(entry: RunningChunk): Promise<void> {
    const { db, clock } = this.#options;
    const { chunk } = entry;
    const { signal } = this.#stopping;
    if (chunk.credentialRef === null) {
      if (chunk.lane === 'bulk') await this.#rightOfWay.pause(signal);
      await expandWalk(db, chunk, clock());
      return;
    }
    using use = await this.#openLane(chunk.credentialRef);
    const lane = use?.lane ?? null;
    const steps = this.#steps[chunk.lane];
    const notification = await steps.load(chunk.notificationRef);
    const pushMaker = createPushMaker(notification, createRenderer(notification));
    const deps = { ...this.#options, steps, signal, rightOfWay: this.#rightOfWay };
    const { ref, pacePerSecond } = notification;
    const pace = pacePerSecond === null ? null : this.#limiters.of(paceBucket(ref, pacePerSecond));
    if (pacePerSecond !== null && (await this.#isTooMuch(chunk, pacePerSecond))) {
      this.#leftAlone.set(ref, performance.now() + LIMITS.pollIdleMs);
      await releaseChunk(db, chunk, clock());
      return;
    }
    const run = new ChunkRun(deps, { chunk, lane, pace, notification, pushMaker });
    entry.run = run;
    await run.run();
  }

  /**
   * Whether a chunk that nobody began would only wait beside others of its notification. Then it is
   * better held by nobody: what a dead worker held comes back no sooner than its lease runs out.
   */
  async #isTooMuch(chunk: LeasedChunk, perSecond: number): Promise<boolean> {
    if (chunk.gatedThrough > 0 || chunk.settled > 0) return false;
    const enough = Math.max(LIMITS.pacedChunks, perSecond / LIMITS.pushesPerPacedChunk);
    return (await countAhead(this.#options.db, chunk)) >= enough;
  }

  /** Null when the credential was retired or cannot be unsealed; what waits for it is judged. */
  async #openLane(credentialRef: number): Promise<LaneUse | null> {
    try {
      return await this.#lanes.open(credentialRef);
    } catch (error) {
      this.#options.metrics.fault(error);
      return null;
    }
  }
}
