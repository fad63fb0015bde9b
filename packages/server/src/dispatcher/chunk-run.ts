import assert from 'node:assert';
import type { Clock } from '../domain/clock.ts';
import { deliveryId, type Recipient } from '../domain/delivery.ts';
import { judge, type GateRow } from '../domain/gate.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Notification } from '../domain/notification.ts';
import type { Push } from '../domain/push.ts';
import type { Settlement } from '../domain/settlement.ts';
import { settle, type SettleResult } from '../feedback/settle.ts';
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
 * It ends when everything is settled (the chunk is gone), when the lane cannot be used or the
 * process stops (the rest is given back), or when the lease was lost (the successor has the rest).
 */
export class ChunkRun {
  readonly #deps: ChunkRunDependencies;
  readonly #chunk: LeasedChunk;
  readonly #lane: Lane;
  readonly #notification: Notification;
  readonly #renderer: Renderer;
  #unwritten: Settlement[] = [];
  #writtenAt = performance.now();
  #isLeaseLost = false;
  #isLaneClosed = false;

  constructor(
    deps: ChunkRunDependencies,
    chunk: LeasedChunk,
    lane: Lane,
    notification: Notification,
    renderer: Renderer,
  ) {
    this.#deps = deps;
    this.#chunk = chunk;
    this.#lane = lane;
    this.#notification = notification;
    this.#renderer = renderer;
  }

  /** Told by the heartbeat: whatever is not written yet belongs to the successor. */
  loseLease(): void {
    this.#isLeaseLost = true;
  }

  async run(): Promise<void> {
    const recipients = this.#recipients();
    for (let from = 0; from < recipients.length; from += LIMITS.gateSlice) {
      const slice = recipients.slice(from, from + LIMITS.gateSlice);
      await this.#runSlice(slice, Math.min(from + LIMITS.gateSlice, recipients.length));
      if (this.#mustStop()) break;
    }
    await this.#write();
    if (!this.#isLeaseLost && this.#mustStop()) await this.#giveBack();
  }

  #recipients(): readonly Recipient[] {
    const { installationRefs, userRefs } = this.#chunk;
    assert(installationRefs.length === userRefs.length, 'a resolved chunk has parallel arrays');
    return installationRefs.map((installationRef, index) => ({
      installationRef,
      userRef: userRefs[index] ?? 0,
    }));
  }

  #mustStop(): boolean {
    return this.#isLeaseLost || this.#isLaneClosed || this.#deps.signal.aborted;
  }

  /**
   * Gates and sends a slice until everything in it is settled; what did not start is gated again.
   */
  async #runSlice(slice: readonly Recipient[], through: number): Promise<void> {
    let rest = slice;
    while (rest.length > 0 && !this.#mustStop()) {
      if (!(await this.#prepareLane())) return;
      const gatedAt = performance.now();
      const gated = await gateSlice(this.#deps.db, this.#chunk, rest, through);
      if (gated === null) {
        this.#isLeaseLost = true;
        return;
      }
      const pushes = gated.rows.flatMap((row) => this.#admit(row, gated.cancelled));
      rest = await this.#send(pushes, gatedAt + LIMITS.gateFreshMs);
    }
  }

  /**
   * Credentials are made ready before the gate, so that nothing slow follows the ownership check.
   */
  async #prepareLane(): Promise<boolean> {
    const obstacle = await this.#lane.provider.prepare(this.#deps.signal);
    if (obstacle === null) return true;
    await this.#lane.close(obstacle, this.#deps.clock());
    this.#isLaneClosed = true;
    return false;
  }

  /** Settles what must not be sent, and makes the push for what may be. */
  #admit(row: GateRow, cancelled: boolean): readonly GatedPush[] {
    const { clock } = this.#deps;
    const { credentialRef } = this.#lane;
    const { retry } = this.#chunk;
    const chunk = { credentialRef, retry, cancelled };
    const verdict = judge(row, this.#notification, chunk, clock());
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
    const { userBound } = this.#notification;
    return {
      id: deliveryId(this.#notification.id, row),
      address,
      message: this.#renderer.render({
        locale: row.locale,
        userId: userBound ? row.ownerId : null,
      }),
      rcpt: userBound ? row.rcpt : null,
      expiresAt: this.#notification.expiresAt,
      drawnBySdk: row.sdkVersion !== null,
    };
  }

  /** Sends in batches of what one request carries; returns whom no attempt was made for. */
  async #send(pushes: readonly GatedPush[], startBefore: number): Promise<readonly Recipient[]> {
    const { batchSize } = this.#lane.provider.limits;
    const batches: (readonly GatedPush[])[] = [];
    for (let from = 0; from < pushes.length; from += batchSize) {
      batches.push(pushes.slice(from, from + batchSize));
    }
    const left = await Promise.all(batches.map((batch) => this.#sendBatch(batch, startBefore)));
    await this.#write();
    return left.flat();
  }

  async #sendBatch(
    batch: readonly GatedPush[],
    startBefore: number,
  ): Promise<readonly Recipient[]> {
    const { clock, metrics, random, signal } = this.#deps;
    const sentAt = clock();
    const outcomes = await this.#lane.provider.send(
      batch.map(({ push }) => push),
      { startBefore, signal },
    );
    assert(outcomes.length === batch.length, 'a provider answers for each push');
    const notStarted: Recipient[] = [];
    for (const [index, { row }] of batch.entries()) {
      const outcome = outcomes[index];
      assert(outcome !== undefined);
      metrics.outcome(this.#lane.name, outcome.kind);
      if (await this.#lane.heed(outcome, clock())) this.#isLaneClosed = true;
      else if (outcome.kind === 'not_started') notStarted.push(row);
      else {
        const attempt = {
          row,
          provider: this.#lane.name,
          outcome,
          mayRepeat: row.possibleDuplicate || this.#mayHaveBeenSent(row),
          sentAt,
          answeredAt: clock(),
          expiresAt: this.#notification.expiresAt,
        };
        this.#collect(settleAttempt(attempt, this.#lane.policy, random));
      }
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
    if (settlements.length === 0 || this.#isLeaseLost) return;
    this.#unwritten = [];
    this.#writtenAt = performance.now();
    const result: SettleResult = await settle(
      this.#deps.db,
      this.#chunk,
      settlements,
      this.#deps.clock(),
    );
    if (result === 'lost') this.#isLeaseLost = true;
  }

  async #giveBack(): Promise<void> {
    const now = this.#deps.clock();
    await releaseChunk(this.#deps.db, this.#chunk, this.#lane.pausedUntil(now) ?? now);
  }
}
