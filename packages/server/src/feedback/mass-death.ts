import assert from 'node:assert';
import { LIMITS } from '../domain/limits.ts';
import { freezeSubject, isMassDeath, type AnsweringHost } from '../domain/mass-death.ts';
import type { Settlement } from '../domain/settlement.ts';
import { closeAlertAbout, isAlertOpen, openAlert, touchAlert } from '../store/alerts.ts';
import {
  clearAnswerWindow,
  noteAcceptance,
  noteRefusals,
  readAnswerWindow,
  recordLosses,
} from '../store/answer-window.ts';
import type { LeasedChunk } from '../store/chunks.ts';
import { replacedCredentials } from '../store/credentials.ts';
import { requestReoffer, requestRestoration } from '../store/reliefs.ts';
import type { Transaction } from '../store/sql.ts';

/**
 * Tells a mass death from many small ones, before any token is touched, and returns the hosts whose
 * word takes none away. A host that takes nothing and calls dozens of tokens dead describes a wrong
 * credential or topic, not dead phones: it is frozen, with an alert, until it takes something or a
 * person closes the alert. The open alert is the freeze. What that is to mean for the tokens that
 * it took is only noted here, and done by `relieve`.
 */
export async function watchAnswers(
  tx: Transaction,
  { appRef, credentialRef }: Pick<LeasedChunk, 'appRef' | 'credentialRef'>,
  settlements: readonly Settlement[],
  now: Date,
): Promise<ReadonlySet<string>> {
  assert(credentialRef !== null, 'only a resolved chunk is settled');
  const frozen = new Set<string>();
  // In one order for everybody, because each host's minute is held until the commit.
  for (const [host, answers] of byHost(settlements)) {
    const at = { credentialRef, host };
    if (answers.some((one) => one.state === 'accepted')) {
      if (await noteAcceptance(tx, at, now)) await thaw(tx, appRef, at, now);
      continue;
    }
    await noteRefusals(tx, at, answers.length, now);
    if (await isFrozen(tx, appRef, at, answers, now)) frozen.add(host);
  }
  return frozen;
}

function byHost(
  settlements: readonly Settlement[],
): readonly (readonly [string, readonly Settlement[]])[] {
  const groups = Map.groupBy(settlements, (one) => one.host ?? '');
  groups.delete('');
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** Whether a host is frozen, or freezes by these answers. */
async function isFrozen(
  tx: Transaction,
  appRef: number,
  at: AnsweringHost,
  answers: readonly Settlement[],
  now: Date,
): Promise<boolean> {
  const losses = answers.flatMap(({ installationRef, holderVersion, tokenFact: fact }) =>
    fact?.kind === 'dead' || fact?.kind === 'mismatch'
      ? [{ installationRef, holderVersion: holderVersion ?? 0, code: fact.code }]
      : [],
  );
  if (losses.length === 0) return false;
  await recordLosses(tx, at, losses, now);
  const since = new Date(now.getTime() - LIMITS.massDeathMs);
  const window = await readAnswerWindow(tx, at, since);
  const { lostTokens, refusals } = window;
  const detail = { host: at.host, code: losses[0]?.code ?? '', tokens: lostTokens, refusals };
  const alert = { ...freezeOf(appRef, at), detail };
  if (isMassDeath(window)) {
    if (await openAlert(tx, alert, now)) await requestRestoration(tx, appRef, at);
    return true;
  }
  // Nothing opens one here: a person may be closing it at this very moment.
  if (!(await isAlertOpen(tx, alert))) return false;
  await touchAlert(tx, alert, now);
  return true;
}

/**
 * The first acceptance ends a freeze, its own and those of the credentials in whose place this one
 * was put; their windows start anew.
 */
async function thaw(tx: Transaction, appRef: number, at: AnsweringHost, now: Date): Promise<void> {
  const replaced = await replacedCredentials(tx, at.credentialRef);
  for (const credentialRef of [at.credentialRef, ...replaced]) {
    const frozen = { credentialRef, host: at.host };
    if (!(await isAlertOpen(tx, freezeOf(appRef, frozen)))) continue;
    await clearAnswerWindow(tx, frozen);
    const closed = await closeAlertAbout(tx, freezeOf(appRef, frozen), 'recovery', now);
    if (closed !== null) await requestReoffer(tx, appRef, frozen, now);
    if (credentialRef === at.credentialRef) await noteAcceptance(tx, at, now);
  }
}

function freezeOf(appRef: number, at: AnsweringHost) {
  return { appRef, kind: 'mass_death_freeze', subject: freezeSubject(at) } as const;
}
