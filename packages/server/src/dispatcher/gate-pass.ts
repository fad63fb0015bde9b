import assert from 'node:assert';
import type { Clock } from '../domain/clock.ts';
import type { Recipient } from '../domain/delivery.ts';
import { judge, type GateRow } from '../domain/gate.ts';
import type { Variables } from '../domain/notification.ts';
import { providerHost } from '../domain/provider-host.ts';
import type { Push } from '../domain/push.ts';
import type { Settlement } from '../domain/settlement.ts';
import { variablesKey, variablesOfList } from '../store/audience-lists.ts';
import type { Database } from '../store/sql.ts';
import { settleWithoutAttempt } from './attempt.ts';
import type { ChunkSteps } from './chunk-steps.ts';
import type { ChunkWork } from './chunk-work.ts';

/** A push that passed the gate, with the row it passed on and the host that it goes to. */
export interface GatedPush {
  readonly row: GateRow;
  readonly push: Push;
  readonly host: string;
}

export interface GatePassDependencies {
  readonly db: Database;
  readonly steps: Pick<ChunkSteps, 'gate'>;
  readonly clock: Clock;
}

/** What the gate said of a slice. */
export interface GatePass {
  readonly pushes: readonly GatedPush[];
  /** Of those that are not to be sent. */
  readonly settlements: readonly Settlement[];
  readonly isCancelled: boolean;
  /** The notification stands still: nothing of the slice was judged. */
  readonly isPaused: boolean;
  /** On the scale of `performance.now()`, before the database looked: a pass is good from here. */
  readonly gatedAt: number;
}

/**
 * Asks the database who of a slice may still get the notification, and renders it for them. Null
 * when the lease was lost.
 */
export async function passGate(
  { db, steps, clock }: GatePassDependencies,
  work: ChunkWork,
  recipients: readonly Recipient[],
  through: number,
): Promise<GatePass | null> {
  const variables = await variablesOf(db, work, recipients);
  const { gatedAt, gated } = await steps.gate({
    chunk: work.chunk,
    recipients,
    through,
    purpose: work.notification.purpose,
  });
  if (gated === null) return null;
  const now = clock();
  const isCancelled = gated.cancelled;
  const isPaused = gated.paused && !isCancelled && work.notification.expiresAt > now;
  const pushes: GatedPush[] = [];
  const settlements: Settlement[] = [];
  for (const row of isPaused ? [] : gated.rows) {
    const own = variables.get(variablesKey(row)) ?? null;
    const judged = judgeRow(work, row, { isCancelled, variables: own }, now);
    if (judged === null) continue;
    if ('push' in judged) pushes.push(judged);
    else settlements.push(judged);
  }
  return { pushes, settlements, isCancelled, isPaused, gatedAt };
}

/** Before the gate, and for a slice at a time: a list may say something about a million. */
async function variablesOf(
  db: Database,
  { notification }: ChunkWork,
  slice: readonly Recipient[],
): Promise<ReadonlyMap<string, Variables>> {
  const { variablesListRef } = notification;
  return variablesListRef === null ? new Map() : variablesOfList(db, variablesListRef, slice);
}

/** The push to be sent, the settlement of what is not; null for what a predecessor settled. */
function judgeRow(
  work: ChunkWork,
  row: GateRow,
  { isCancelled, variables }: { isCancelled: boolean; variables: Variables | null },
  now: Date,
): GatedPush | Settlement | null {
  const { ref, credentialRef } = work.chunk;
  assert(credentialRef !== null, 'only a resolved chunk is gated');
  const verdict = judge(
    row,
    work.notification,
    { ref, credentialRef, cancelled: isCancelled },
    now,
  );
  switch (verdict.kind) {
    case 'send':
      return {
        row,
        push: work.pushMaker.make(row, verdict.address, variables),
        host: providerHost(verdict.address),
      };
    case 'skip':
      return settleWithoutAttempt(row, { state: 'skipped', reason: verdict.reason });
    case 'expired':
      return settleWithoutAttempt(row, { state: 'expired' });
    case 'moved':
      return settleWithoutAttempt(row, { state: 'retrying', dueAt: now });
    case 'settled':
      return null;
  }
}
