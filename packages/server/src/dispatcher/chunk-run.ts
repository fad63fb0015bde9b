import type { Clock } from '../domain/clock.ts';
import type { Recipient } from '../domain/delivery.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Settlement } from '../domain/settlement.ts';
import type { SettleResult } from '../feedback/settle.ts';
import { parkChunk, releaseChunk } from '../store/chunks.ts';
import { readStanding } from '../store/notifications.ts';
import type { Database } from '../store/sql.ts';
import { settleAttempt } from './attempt.ts';
import type { ChunkSteps } from './chunk-steps.ts';
import type { ChunkWork } from './chunk-work.ts';
import { passGate, type GatedPush, type GatePass } from './gate-pass.ts';
import type { Lane } from './lane.ts';
import type { DispatcherMetrics } from './metrics.ts';
import { offer, type AdmittedPush, type Offered } from './offer.ts';
import { takePermit, type AwaitedThing, type Permit } from './permit.ts';
import { RecipientQueue } from './recipient-queue.ts';
import type { RightOfWay } from './right-of-way.ts';
import { SettlementBuffer } from './settlement-buffer.ts';

export interface ChunkRunDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: DispatcherMetrics;
  readonly steps: ChunkSteps;
  readonly rightOfWay: RightOfWay;
  /** Aborts when the process stops: nothing new is started, what is in flight is awaited. */
  readonly signal: AbortSignal;
}

/** A slice of which something may go now. */
interface Slice {
  readonly admitted: readonly AdmittedPush[];
  /** Those that wait for what comes of a probe among the admitted. */
  readonly waiting: readonly Recipient[];
  readonly gatedAt: number;
  readonly permit: Permit;
}

/**
 * Takes one leased chunk through its phases, slice by slice:
 *
 *   permit  → tokens of the pace and of the lane, and room on the wire
 *   gate    → who may still get it, on the primary, marking the slice as started
 *   render  → what it says to each
 *   send    → each within a second of the gate; what did not start comes back
 *   settle  → ledger, counters, retries and feedback, every 200 ms or 500 outcomes
 *
 * The next slice is gated while the answers to the one before are awaited, so that the wire is
 * never idle; no more than three are under way.
 *
 * Where the lane cannot be used, a slice is gated all the same, without a permit: what has expired,
 * was cancelled, changed hands or is served by another credential now does not wait for a provider
 * to come back. How often that is done, `JudgingPace` says. A run ends with the chunk settled and
 * gone, given back for later, put away because its notification is paused, or lost to a successor.
 */
export class ChunkRun {
  readonly #deps: ChunkRunDependencies;
  readonly #work: ChunkWork;
  readonly #queue: RecipientQueue;
  readonly #settlements: SettlementBuffer;
  readonly #underWay = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | null = null;
  #isPaused = false;
  #isCancelled = false;
  #waitsFor: AwaitedThing | null;
  /** When the first of those that cannot go now may go. */
  #blockedUntil: Date | null = null;

  constructor(deps: ChunkRunDependencies, work: ChunkWork) {
    this.#deps = deps;
    this.#work = work;
    // What has a pace waits for it, until it is seen not to.
    this.#waitsFor = work.pace === null ? null : 'pace';
    this.#queue = new RecipientQueue(work.chunk);
    this.#settlements = new SettlementBuffer((settlements) => this.#write(settlements));
  }

  /** What is in its way is in that of its like, too. Null while it is worked on. */
  get waitsFor(): AwaitedThing | null {
    return this.#waitsFor;
  }

  /** Told by the heartbeat: whatever is not written yet belongs to the successor. */
  loseLease(): void {
    this.#settlements.lose();
  }

  async run(): Promise<void> {
    try {
      while (this.#goesOn()) await this.#step();
    } finally {
      // Whatever went wrong, what was sent is to be known.
      await Promise.all(this.#underWay);
      await this.#settlements.flush();
    }
    if (this.#failure !== null) throw this.#failure.error;
    if (this.#settlements.end === null) await this.#giveBack();
  }

  #goesOn(): boolean {
    if (this.#isPaused || this.#failure !== null || this.#deps.signal.aborted) return false;
    if (this.#settlements.end !== null || this.#settlements.hasFailed) return false;
    return this.#queue.size > 0 || this.#underWay.size > 0;
  }

  /** Starts a slice, or waits for one that is under way. */
  async #step(): Promise<void> {
    if (this.#queue.size === 0 || this.#underWay.size >= LIMITS.slicesUnderWay) {
      await Promise.race(this.#underWay);
      return;
    }
    const { rightOfWay, signal } = this.#deps;
    if (this.#work.chunk.lane === 'bulk') await rightOfWay.pause(signal);
    const lane = this.#isOver() ? null : await this.#usableLane();
    if (lane === null) {
      this.#waitsFor = null;
      await this.#gate(LIMITS.gateSlice);
      return;
    }
    const permit = await this.#takePermit(lane);
    if (permit !== null) await this.#startSlice(lane, permit);
  }

  /** Nothing more of the notification is to be sent; what is left only has to be written down. */
  #isOver(): boolean {
    return this.#isCancelled || this.#work.notification.expiresAt <= this.#deps.clock();
  }

  /**
   * Credentials are made ready before the gate, so that nothing slow follows the ownership check.
   */
  async #usableLane(): Promise<Lane | null> {
    const { clock, signal } = this.#deps;
    const { lane } = this.#work;
    if (lane === null) return null;
    if (lane.pausedUntil(clock()) === null && (await lane.makeReady(clock, signal))) return lane;
    this.#block(lane.pausedUntil(clock()));
    return null;
  }

  /** Null when there was none for a moment; then it is seen whether there is a point in waiting. */
  async #takePermit(lane: Lane): Promise<Permit | null> {
    const { chunk, pace, notification } = this.#work;
    const want = Math.min(LIMITS.gateSlice, this.#queue.size);
    const waitsFor = (what: AwaitedThing): void => void (this.#waitsFor = what);
    const permit = await takePermit({ laneName: chunk.lane, lane, pace, want, waitsFor });
    if (permit !== null) {
      this.#waitsFor = null;
      return permit;
    }
    const standing = await readStanding(this.#deps.db, notification.ref);
    this.#isPaused = standing === 'paused';
    this.#isCancelled = standing === 'cancelled';
    return null;
  }

  /** Gates as many as are permitted, and leaves the answers to be awaited beside what follows. */
  async #startSlice(lane: Lane, permit: Permit): Promise<void> {
    let unused = permit.pushes;
    try {
      const pass = await this.#gate(permit.pushes);
      if (pass === null) return;
      const slice = { ...this.#admit(lane, pass.pushes), gatedAt: pass.gatedAt, permit };
      unused -= slice.admitted.length;
      if (slice.admitted.length === 0) return;
      const task = this.#track(this.#send(lane, slice));
      // What comes of a probe decides on all that follows.
      if (slice.admitted.some(({ isProbe }) => isProbe)) await task;
    } finally {
      permit.giveBack(unused);
    }
  }

  #track(work: Promise<void>): Promise<void> {
    const task = work
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => this.#underWay.delete(task));
    this.#underWay.add(task);
    return task;
  }

  /** Null when the lease is lost. */
  async #gate(count: number): Promise<GatePass | null> {
    const slice = this.#queue.take(count);
    const askedAt = performance.now();
    const pass = await passGate(this.#deps, this.#work, slice, this.#queue.through);
    if (this.#work.chunk.lane === 'transactional') {
      this.#deps.rightOfWay.checked(performance.now() - askedAt);
    }
    if (pass === null) {
      this.#settlements.lose();
      return null;
    }
    this.#isCancelled = pass.isCancelled;
    this.#isPaused = pass.isPaused;
    for (const settlement of pass.settlements) this.#settlements.add(settlement);
    return pass;
  }

  /**
   * Those that the breakers let through. Where one of them finds out whether its host is back, the
   * others come again after it; otherwise they stay in the chunk.
   */
  #admit(lane: Lane, pushes: readonly GatedPush[]): Pick<Slice, 'admitted' | 'waiting'> {
    const now = this.#deps.clock();
    const admitted: AdmittedPush[] = [];
    const waiting: Recipient[] = [];
    let until: number | null = null;
    for (const push of pushes) {
      const admission = lane.admit(push.host, now);
      if (admission.kind === 'wait') {
        waiting.push(push.row);
        until = Math.min(until ?? admission.until, admission.until);
      } else admitted.push({ ...push, isProbe: admission.kind === 'probe' });
    }
    if (admitted.some(({ isProbe }) => isProbe)) return { admitted, waiting };
    if (until !== null) this.#block(new Date(until));
    return { admitted, waiting: [] };
  }

  async #send(lane: Lane, { admitted, waiting, gatedAt, permit }: Slice): Promise<void> {
    const again: Recipient[] = [...waiting];
    await offer(
      this.#deps,
      lane,
      { pushes: admitted, gatedAt },
      {
        answered: (count) => permit.answered(count),
        attempted: (offered) => this.#settle(lane, offered),
        waits: ({ host }) => this.#block(lane.opensAt(host, this.#deps.clock())),
        notStarted: ({ row }) => {
          permit.giveBack(1);
          again.push(row);
        },
      },
    );
    this.#queue.putBack(again);
  }

  #settle(lane: Lane, { push: { row }, outcome, sentAt }: Offered): void {
    const { clock, random } = this.#deps;
    const attempt = {
      row,
      provider: lane.name,
      outcome,
      mayRepeat: row.possibleDuplicate || this.#queue.mayHaveBeenSent(row),
      sentAt,
      answeredAt: clock(),
      expiresAt: this.#work.notification.expiresAt,
      receipts: lane.provider.receipts ?? null,
    };
    this.#settlements.add(settleAttempt(attempt, lane.policy, random));
  }

  #block(until: Date | null): void {
    if (until === null) return;
    if (this.#blockedUntil === null || until < this.#blockedUntil) this.#blockedUntil = until;
  }

  async #write(settlements: readonly Settlement[]): Promise<SettleResult['chunk']> {
    const { steps, metrics } = this.#deps;
    const { purpose } = this.#work.notification;
    const part = { chunk: this.#work.chunk, purpose, settlements };
    const { chunk, refuted } = await steps.settle(part);
    if (refuted > 0) metrics.refuted(refuted);
    return chunk;
  }

  /**
   * For the time at which something of it can go, or at once when the process stops. One that is
   * paused is out of sight until it goes on or expires.
   */
  async #giveBack(): Promise<void> {
    const { db, clock, signal } = this.#deps;
    const now = clock();
    if (this.#isPaused) return parkChunk(db, this.#work.chunk, now);
    const later = new Date(now.getTime() + LIMITS.giveBackMs);
    await releaseChunk(db, this.#work.chunk, this.#blockedUntil ?? (signal.aborted ? now : later));
  }
}
