import { setTimeout as delay } from 'node:timers/promises';
import type { Database } from '../../packages/server/src/store/sql.ts';

interface Orphan {
  readonly attempt: number;
  readonly killedAt: number;
  readonly leaseUntil: Date;
  /** Gated and not settled when it was last looked at: what its next holder may repeat. */
  gap: number;
}

interface ChunkRow {
  readonly chunk_ref: number;
  readonly attempt: number;
  readonly gap: number;
  /** Null while nobody holds it. */
  readonly lease_until: Date | null;
}

const LOOK_MS = 50;

/**
 * The chunks that killed workers left behind, watched until somebody else has them. Nothing of a
 * dead worker can change a chunk once its lease has run out, and nobody can take it before; so what
 * is seen last is what the kill has left.
 */
export class Orphans implements AsyncDisposable {
  readonly #db: Database;
  readonly #waiting = new Map<number, Orphan>();
  readonly #takeoversMs: number[] = [];
  /** All chunks as they were when they were last looked at. */
  #seen: ReadonlyMap<number, ChunkRow> = new Map();
  #lapses = 0;
  readonly #watch: Promise<void>;
  #isEnding = false;
  #allowed = 0;

  constructor(db: Database) {
    this.#db = db;
    this.#watch = this.#lookOn();
  }

  /** How long each has waited for its next holder, shortest first. */
  get takeoversMs(): readonly number[] {
    return this.#takeoversMs.toSorted((a, b) => a - b);
  }

  /** How many chunks were taken from workers that live, and were too slow to keep them. */
  get lapses(): number {
    return this.#lapses;
  }

  /** How many pushes all kills, and all lapses, together may have made to be repeated. */
  get allowed(): number {
    return this.#allowed;
  }

  /** Right after the kill of a process: watches all that it held. */
  async adopt(pid: number): Promise<void> {
    const killedAt = performance.now();
    const rows = await this.#db<(ChunkRow & { readonly lease_until: Date })[]>`
      select chunk_ref, attempt, gated_through - settled as gap, lease_until from chunk
      where lease_owner like ${`${pid}.%`}`;
    for (const { chunk_ref: ref, attempt, gap, lease_until: leaseUntil } of rows) {
      // Its former holder died as well, and nobody looked between the two.
      const former = this.#waiting.get(ref);
      if (former !== undefined) this.#end(ref, former, false);
      this.#waiting.set(ref, { attempt, killedAt, leaseUntil, gap });
    }
  }

  /** Resolves when no chunk is without a worker any more. */
  async allTaken(): Promise<void> {
    while (this.#waiting.size > 0) await delay(LOOK_MS);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnding = true;
    await this.#watch;
  }

  async #lookOn(): Promise<void> {
    while (!this.#isEnding) {
      await this.#lookAll();
      await delay(LOOK_MS);
    }
  }

  async #lookAll(): Promise<void> {
    const db = this.#db;
    const rows = await db<ChunkRow[]>`
      select chunk_ref, attempt, gated_through - settled as gap, lease_until from chunk`;
    for (const row of rows) this.#noteLapse(row);
    const found = new Map(rows.map((row) => [row.chunk_ref, row]));
    for (const [ref, orphan] of this.#waiting) {
      const row = found.get(ref);
      if (row?.attempt === orphan.attempt) orphan.gap = row.gap;
      else this.#end(ref, orphan, row === undefined);
    }
    this.#seen = found;
  }

  /** Whoever gives a chunk back, or completes it, does so before its lease is over. */
  #noteLapse({ chunk_ref: ref, attempt }: ChunkRow): void {
    const before = this.#seen.get(ref);
    if (before === undefined || before.attempt === attempt || this.#waiting.has(ref)) return;
    if (before.lease_until === null || before.lease_until > new Date()) return;
    this.#lapses += 1;
    this.#allowed += before.gap;
  }

  #end(ref: number, orphan: Orphan, isGone: boolean): void {
    this.#waiting.delete(ref);
    // The last thing that its holder did, and nobody saw it do, was to complete it.
    if (isGone && orphan.leaseUntil > new Date()) return;
    this.#allowed += orphan.gap;
    this.#takeoversMs.push(Math.round(performance.now() - orphan.killedAt));
  }
}
