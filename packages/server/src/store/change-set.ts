import type { ChangeSet } from '../domain/change-set.ts';
import type { EventStamp } from '../domain/event.ts';
import type { Installation } from '../domain/installation.ts';
import { forgetMoves, recordMoves } from './address-moves.ts';
import { closeAlertAbout, openAlert } from './alerts.ts';
import { appendAudit, type AuditRecord } from './audit.ts';
import { insertChallenges } from './challenges.ts';
import { writeEvents } from './events.ts';
import { saveInstallations } from './installation-save.ts';
import { beginLinks, endLinks, tagLinks } from './links.ts';
import { recordProofs } from './proofs.ts';
import { reofferDead } from './reoffer.ts';
import { flight, type Transaction } from './sql.ts';

/** What one packet changes, with who changed it. */
export interface RegistryWrite {
  readonly changes: ChangeSet;
  readonly stamp: EventStamp;
  readonly audit: AuditRecord | null;
  /**
   * The saved installation as it stands in its row, of which only what differs is written; null
   * when that is not known.
   */
  readonly held: Installation | null;
}

/**
 * Writes what was decided under the locks that it was decided under; each installation stands in at
 * most one of the writes. There are as many statements for one write as for a hundred, and none
 * waits for the answer to the one before: see `PIPELINE`.
 */
export async function writeChanges(
  tx: Transaction,
  appRef: number,
  writes: readonly RegistryWrite[],
): Promise<void> {
  const all = <T>(part: (changes: ChangeSet) => readonly T[]): readonly T[] =>
    writes.flatMap(({ changes }) => part(changes));
  const events = writes.flatMap(({ changes, stamp }) =>
    changes.events.map((event) => ({ ...event, ...stamp })),
  );
  await flight([
    endLinks(
      tx,
      all((changes) => changes.endedLinks),
    ),
    saveInstallations(
      tx,
      all(({ released }) => released.map((next) => ({ next, held: null }))),
    ),
    saveInstallations(
      tx,
      writes.flatMap(({ changes: { saved }, held }) => saved.map((next) => ({ next, held }))),
    ),
    emptyInstallations(
      tx,
      all((changes) => changes.emptiedRefs),
    ),
    tagLinks(
      tx,
      all((changes) => changes.taggedLinks),
    ),
    beginLinks(
      tx,
      appRef,
      all((changes) => changes.begunLinks),
    ),
    recordProofs(
      tx,
      appRef,
      all((changes) => changes.usedProofs),
    ),
    recordMoves(
      tx,
      appRef,
      all((changes) => changes.moves),
    ),
    forgetMoves(
      tx,
      appRef,
      all((changes) => changes.settledKeys),
    ),
    insertChallenges(
      tx,
      appRef,
      all((changes) => changes.challenges),
    ),
    writeAlerts(tx, writes),
    writeEvents(tx, appRef, events),
    appendAudit(
      tx,
      writes.flatMap(({ audit }) => (audit === null ? [] : [audit])),
    ),
  ]);
  const refs = all((changes) => changes.reofferedRefs);
  const latest = Math.max(...writes.map(({ stamp }) => stamp.at.getTime()));
  if (refs.length > 0) await reofferDead(tx, refs, new Date(latest));
}

/** Few, and seldom two of them in one transaction. */
async function writeAlerts(tx: Transaction, writes: readonly RegistryWrite[]): Promise<void> {
  for (const { changes, stamp } of writes) {
    for (const alert of changes.openedAlerts) await openAlert(tx, alert, stamp.at);
    for (const about of changes.closedAlerts)
      await closeAlertAbout(tx, about, 'recovery', stamp.at);
  }
}

/** Takes from installations what other tables keep for them, and what they prefer. */
async function emptyInstallations(tx: Transaction, refs: readonly number[]): Promise<void> {
  if (refs.length === 0) return;
  await flight([
    tx`update installation set preferences = '{}' where installation_ref = any(${[...refs]})`,
    tx`delete from topic_subscription where installation_ref = any(${[...refs]})`,
    tx`delete from topic_mark where installation_ref = any(${[...refs]})`,
    tx`delete from purpose_token where installation_ref = any(${[...refs]})`,
  ]);
}
