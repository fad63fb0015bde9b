import assert from 'node:assert';
import type { Clock } from '../domain/clock.ts';
import { deliveryId, type Recipient } from '../domain/delivery.ts';
import { judge, type GateRow } from '../domain/gate.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Notification } from '../domain/notification.ts';
import type { Push } from '../domain/push.ts';
import type { Settlement } from '../domain/settlement.ts';
import { settle } from '../feedback/settle.ts';
import type { Renderer } from '../sending/render.ts';
import { releaseChunk, type LeasedChunk } from '../store/chunks.ts';
import { gateSlice } from '../store/gate.ts';
import type { Database } from '../store/sql.ts';
import { settleAttempt, settleWithoutAttempt } from './attempt.ts';
import type { Lane } from './lane.ts';
import type { DispatcherMetrics } from './metrics.ts';

export interface ChunkRunDependencies {
  readonly db: Database;
  readonly clock: Clock;
  readonly random: () => number;
  readonly metrics: DispatcherMetrics;
  /** Aborts when the process stops: nothing new is started, what is in flight is awaited. */
  readonly signal: AbortSignal;
}

/** What a run works on. */
export interface ChunkWork {
  readonly chunk: LeasedChunk;
  /** Null while the credential cannot be opened at all: the chunk is only judged. */
  readonly lane: Lane | null;
  readonly notification: Notification;
  readonly renderer: Renderer;
}

/** A push that passed the gate, with the row it passed on. */
interface GatedPush {
  readonly row: GateRow;
  readonly push: Push;
}

/**
 * Takes one leased chunk through its phases, slice by slice:
 *
 *   gate    → who may still get it, on the primary, marking the slice as started
 *   render  → what it says to each
 *   send    → each within a second of the gate; what did not start comes back
 *   settle  → ledger, counters, retries and feedback, every 200 ms or 500 outcomes
 *
 * Where the lane cannot be used, a slice is gated all the same: what has expired, was cancelled,
 * changed hands or is served by another credential now does not wait for a provider to come back.
 * A run ends with the chunk settled and gone, given back for later, or lost to a successor.
 */
export class ChunkRun {
  readonly #deps: ChunkRunDependencies;
  readonly #chunk: LeasedChunk;
  readonly #lane: Lane | null;
  readonly #notification: Notification;
  readonly #renderer: Renderer;
  #unwritten: Settlement[] = [];
  #writtenAt = performance.now();
  #end: 'completed' | 'lost' | null = null;

  constructor(deps: ChunkRunDependencies, work: ChunkWork) {
    this.#deps = deps;
    this.#chunk = work.chunk;
    this.#lane = work.lane;
    this.#notification = work.notification;
    this.#renderer = work.renderer;
  }

  /** Told by the heartbeat: whatever is not written yet belongs to the successor. */
  loseLease(): void {
    this.#end = 'lost';
  }

  async run(): Promise<void> {
    const recipients = this.#recipients();
    for (let from = 0; from < recipients.length; from += LIMITS.gateSlice) {
      if (this.#end !== null || this.#deps.signal.aborted) break;
      const slice = recipients.slice(from, from + LIMITS.gateSlice);
      await this.#runSlice(slice, Math.min(from + LIMITS.gateSlice, recipients.length));
    }
    await this.#write();
    if (this.#end === null) await this.#giveBack();
  }

  #recipients(): readonly Recipient[] {
    const { installationRefs, userRefs } = this.#chunk;
    assert(installationRefs.length === userRefs.length, 'a resolved chunk has parallel arrays');
    return installationRefs.map((installationRef, index) => ({
      installationRef,
      userRef: userRefs[index] ?? 0,
    }));
  }

  /**
   * Gates and sends a slice until nothing of it can be done now; what did not start comes again.
   */
  async #runSlice(slice: readonly Recipient[], through: number): Promise<void> {
    let rest = slice;
    while (rest.length > 0 && this.#end === null && !this.#deps.signal.aborted) {
      const lane = await this.#usableLane();
      const gatedAt = performance.now();
      const gated = await gateSlice(this.#deps.db, this.#chunk, rest, through);
      if (gated === null) {
        this.#end = 'lost';
        return;
      }
      const pushes = gated.rows.flatMap((row) => this.#admit(row, gated.cancelled));
      rest = lane === null ? [] : await this.#send(lane, pushes, gatedAt + LIMITS.gateFreshMs);
    }
  }

  /**
   * Credentials are made ready before the gate, so that nothing slow follows the ownership check.
   */
  async #usableLane(): Promise<Lane | null> {
    const lane = this.#lane;
    if (lane === null || lane.pausedUntil(this.#deps.clock()) !== null) return null;
    const obstacle = await lane.provider.prepare(this.#deps.signal);
    if (obstacle === null) return lane;
    await lane.close(obstacle, this.#deps.clock());
    return null;
  }

  /** Settles what must not be sent, and makes the push for what may be. */
  #admit(row: GateRow, cancelled: boolean): readonly GatedPush[] {
    const { clock } = this.#deps;
    const { ref, credentialRef } = this.#chunk;
    assert(credentialRef !== null, 'only a resolved chunk is run');
    const verdict = judge(row, this.#notification, { ref, credentialRef, cancelled }, clock());
    switch (verdict.kind) {
      case 'send':
        return [{ row, push: this.#toPush(row, verdict.address) }];
      case 'skip':
        this.#collect(settleWithoutAttempt(row, { state: 'skipped', reason: verdict.reason }));
        return [];
      case 'expired':
        this.#collect(settleWithoutAttempt(row, { state: 'expired' }));
        return [];
      case 'moved':
        this.#collect(settleWithoutAttempt(row, { state: 'retrying', dueAt: clock() }));
        return [];
      case 'settled':
        return [];
    }
  }

  #toPush(row: GateRow, address: Push['address']): Push {
    const isUserBound = row.userRef !== 0;
    return {
      id: deliveryId(this.#notification.id, row),
      address,
      message: this.#renderer.render({
        locale: row.locale,
        userId: isUserBound ? row.ownerId : null,
      }),
      rcpt: isUserBound ? row.rcpt : null,
      collapseScope: row.isShared ? row.rcpt : null,
      expiresAt: this.#notification.expiresAt,
      drawnBySdk: row.sdkVersion !== null,
    };
  }

  /** Sends in batches of what one request carries; returns whom no attempt was made for. */
  async #send(
    lane: Lane,
    pushes: readonly GatedPush[],
    startBefore: number,
  ): Promise<readonly Recipient[]> {
    const { batchSize } = lane.provider.limits;
    const batches: (readonly GatedPush[])[] = [];
    for (let from = 0; from < pushes.length; from += batchSize) {
      batches.push(pushes.slice(from, from + batchSize));
    }
    const left = await Promise.all(
      batches.map((batch) => this.#sendBatch(lane, batch, startBefore)),
    );
    await this.#write();
    return left.flat();
  }

  async #sendBatch(
    lane: Lane,
    batch: readonly GatedPush[],
    startBefore: number,
  ): Promise<readonly Recipient[]> {
    const { clock, metrics, random, signal } = this.#deps;
    const sentAt = clock();
    const pushes = batch.map(({ push }) => push);
    const outcomes = await lane.provider.send(pushes, { startBefore, signal });
    assert(outcomes.length === batch.length, 'a provider answers for each push');
    const notStarted: Recipient[] = [];
    for (const [index, { row }] of batch.entries()) {
      const outcome = outcomes[index];
      assert(outcome !== undefined);
      metrics.outcome(lane.name, outcome.kind);
      if (outcome.kind === 'not_started') notStarted.push(row);
      // What only says that the lane cannot be used was no attempt: it waits in the chunk.
      if (outcome.kind === 'not_started' || (await lane.heed(outcome, clock()))) continue;
      const attempt = {
        row,
        provider: lane.name,
        outcome,
        mayRepeat: row.possibleDuplicate || this.#mayHaveBeenSent(row),
        sentAt,
        answeredAt: clock(),
        expiresAt: this.#notification.expiresAt,
      };
      this.#collect(settleAttempt(attempt, lane.policy, random));
    }
    await this.#writeIfDue();
    return notStarted;
  }

  /** A predecessor had checked it and died: it may have been sent, and nobody can tell. */
  #mayHaveBeenSent(row: GateRow): boolean {
    const { gatedThrough, installationRefs, userRefs } = this.#chunk;
    if (gatedThrough === 0) return false;
    const index = installationRefs.findIndex(
      (ref, at) => ref === row.installationRef && userRefs[at] === row.userRef,
    );
    return index < gatedThrough;
  }

  #collect(settlement: Settlement): void {
    this.#unwritten.push(settlement);
  }

  async #writeIfDue(): Promise<void> {
    const isDue =
      this.#unwritten.length >= LIMITS.settleOutcomes ||
      performance.now() - this.#writtenAt >= LIMITS.settleMs;
    if (isDue) await this.#write();
  }

  async #write(): Promise<void> {
    const settlements = this.#unwritten;
    if (settlements.length === 0 || this.#end !== null) return;
    this.#unwritten = [];
    this.#writtenAt = performance.now();
    const { db, clock, metrics } = this.#deps;
    const { chunk, refuted } = await settle(db, this.#chunk, settlements, clock());
    if (refuted > 0) metrics.refuted(refuted);
    if (chunk !== 'open') this.#end = chunk;
  }

  /** For the time at which the lane opens again, or at once when the process stops. */
  async #giveBack(): Promise<void> {
    const { db, clock, signal } = this.#deps;
    const now = clock();
    const later = new Date(now.getTime() + LIMITS.giveBackMs);
    const opensAt = this.#lane?.pausedUntil(now) ?? (signal.aborted ? now : later);
    await releaseChunk(db, this.#chunk, opensAt);
  }
}
