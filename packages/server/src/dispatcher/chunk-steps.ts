import type { Clock } from '../domain/clock.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Notification } from '../domain/notification.ts';
import {
  isSettledAlike,
  settle,
  settleTogether,
  type ChunkSettlements,
  type SettleResult,
} from '../feedback/settle.ts';
import {
  gateSlice,
  gateTogether,
  isGatedAlike,
  type GatedSlice,
  type GateSlice,
} from '../store/gate.ts';
import { heartbeat } from '../store/leases.ts';
import { loadNotification, loadNotifications } from '../store/notifications.ts';
import { isConnectionLost, onConnection, type Database, type Queryable } from '../store/sql.ts';
import { Gathering } from '../store/gathering.ts';

/** What the gate said, and when it was asked. */
export interface TimedGate {
  /** Null when the lease was lost. */
  readonly gated: GatedSlice | null;
  /** On the scale of `performance.now()`, before the database looked: a pass is good from here. */
  readonly gatedAt: number;
}

/** What the run of a chunk asks of the database. */
export interface ChunkSteps {
  readonly load: (notificationRef: number) => Promise<Notification>;
  readonly gate: (slice: GateSlice) => Promise<TimedGate>;
  readonly settle: (part: ChunkSettlements) => Promise<SettleResult>;
}

/** Each for itself: a slice of bulk is a round of its own. */
export function createOwnSteps(db: Database, clock: Clock): ChunkSteps {
  return {
    load: (ref) => loadNotification(db, ref),
    async gate(slice) {
      const { gatedAt, result } = await timed(db, (connection) => gateSlice(connection, slice));
      return { gatedAt, gated: result };
    },
    settle: (part) => settle(db, part, clock()),
  };
}

/**
 * Together with what others ask for at the same time. A chunk for one user needs 17 statements in
 * two transactions, 3 ms of PostgreSQL's and the worker's time; shared by ten, each costs a third.
 */
export function createSharedSteps(db: Database, clock: Clock): ChunkSteps {
  const own = createOwnSteps(db, clock);
  const limits = {
    isInDoubt: isConnectionLost,
    atOnce: LIMITS.roundsAtOnce,
    most: LIMITS.roundChunks,
  };
  const loads = new Gathering({
    together: (refs: readonly number[]) => loadNotifications(db, refs),
    alone: own.load,
    ...limits,
  });
  const gates = new Gathering({
    async together(slices: readonly GateSlice[]) {
      const { gatedAt, result } = await timed(db, (connection) => gateTogether(connection, slices));
      return result.map((gated) => ({ gatedAt, gated }));
    },
    alone: own.gate,
    ...limits,
  });
  const settlements = new Gathering({
    together: (parts: readonly ChunkSettlements[]) => settleRound(db, parts, clock()),
    alone: own.settle,
    ...limits,
  });
  return {
    load: (ref) => loads.ask(ref),
    async gate(slice) {
      if (!isGatedAlike(slice)) return own.gate(slice);
      const timed = await gates.ask(slice);
      // Its lease is lost, or somebody held its chunk for a moment, for which no round waits.
      return timed.gated === null ? own.gate(slice) : timed;
    },
    settle: (part) => (isSettledAlike(part) ? settlements.ask(part) : own.settle(part)),
  };
}

/** While its chunks were locked no heartbeat reached them, so that what fails prolongs them. */
async function settleRound(
  db: Database,
  parts: readonly ChunkSettlements[],
  now: Date,
): Promise<readonly SettleResult[]> {
  try {
    return await settleTogether(db, parts, now);
  } catch (error) {
    if (!isConnectionLost(error)) {
      const chunks = parts.map(({ chunk }) => chunk);
      await heartbeat(db, chunks, LIMITS.leaseMs);
    }
    throw error;
  }
}

/**
 * The wait for a connection does not count against the second that a pass is good for: otherwise a
 * pool under load would have its pushes gated again and again.
 */
function timed<T>(db: Database, work: (connection: Queryable) => Promise<T>) {
  return onConnection(db, async (connection) => {
    const gatedAt = performance.now();
    return { gatedAt, result: await work(connection) };
  });
}
