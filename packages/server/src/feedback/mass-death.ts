import assert from 'node:assert';
import { LIMITS } from '../domain/limits.ts';
import { freezeSubject, isMassDeath, type AnsweringHost } from '../domain/mass-death.ts';
import type { Settlement } from '../domain/settlement.ts';
import { closeAlertAbout, isAlertOpen, openAlert } from '../store/alerts.ts';
import {
  clearAnswerWindow,
  lostInstallations,
  noteAcceptance,
  noteRefusals,
  readAnswerWindow,
  recordLosses,
} from '../store/answer-window.ts';
import type { LeasedChunk } from '../store/chunks.ts';
import type { Transaction } from '../store/sql.ts';

/** What the answers of one settlement say about the hosts that gave them. */
export interface AnswerWatch {
  /** The hosts whose word takes no token away. */
  readonly frozen: ReadonlySet<string>;
  /** Those that freeze now: what they took since then is to be restored. */
  readonly freezing: readonly AnsweringHost[];
  readonly since: Date;
  /** The installations in question, to be locked together with the settlement's own. */
  readonly restorable: readonly number[];
  /** Installations whose host has thawed: what failed because of their tokens is offered again. */
  readonly thawed: readonly number[];
}

/**
 * Tells a mass death from many small ones, before any token is touched. A host that takes nothing
 * and calls dozens of tokens dead describes a wrong credential or topic, not dead phones: it is
 * frozen, with an alert, until it takes something or a person closes the alert. The open alert is
 * the freeze.
 */
export async function watchAnswers(
  tx: Transaction,
  chunk: LeasedChunk,
  settlements: readonly Settlement[],
  now: Date,
): Promise<AnswerWatch> {
  const { appRef, credentialRef } = chunk;
  assert(credentialRef !== null, 'only a resolved chunk is settled');
  const since = new Date(now.getTime() - LIMITS.massDeathMs);
  const [frozen, freezing] = [new Set<string>(), [] as AnsweringHost[]];
  const [restorable, thawed] = [[] as number[], [] as number[]];
  // In one order for everybody, because each host's minute is held until the commit.
  for (const [host, answers] of byHost(settlements)) {
    const at = { credentialRef, host };
    if (answers.some((one) => one.state === 'accepted')) {
      if (await noteAcceptance(tx, at, now)) thawed.push(...(await thaw(tx, appRef, at, now)));
      continue;
    }
    await noteRefusals(tx, at, answers.length, now);
    const verdict = await judgeLosses(tx, appRef, at, answers, now);
    if (verdict === 'trusted') continue;
    frozen.add(host);
    if (verdict === 'frozen') continue;
    freezing.push(at);
    restorable.push(...(await lostInstallations(tx, at, since)));
  }
  return { frozen, freezing, since, restorable, thawed };
}

function byHost(
  settlements: readonly Settlement[],
): readonly (readonly [string, readonly Settlement[]])[] {
  const groups = Map.groupBy(settlements, (one) => one.host ?? '');
  groups.delete('');
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

async function judgeLosses(
  tx: Transaction,
  appRef: number,
  at: AnsweringHost,
  answers: readonly Settlement[],
  now: Date,
): Promise<'trusted' | 'frozen' | 'freezing'> {
  const losses = answers.flatMap(({ installationRef, holderVersion, tokenFact: fact }) =>
    fact?.kind === 'dead' || fact?.kind === 'mismatch'
      ? [{ installationRef, holderVersion: holderVersion ?? 0, code: fact.code }]
      : [],
  );
  if (losses.length === 0) return 'trusted';
  await recordLosses(tx, at, losses, now);
  const since = new Date(now.getTime() - LIMITS.massDeathMs);
  const window = await readAnswerWindow(tx, at, since);
  const about = { appRef, kind: 'mass_death_freeze', subject: freezeSubject(at) } as const;
  if (!isMassDeath(window) && !(await isAlertOpen(tx, about))) return 'trusted';
  const { lostTokens, refusals } = window;
  const detail = { host: at.host, code: losses[0]?.code ?? '', tokens: lostTokens, refusals };
  return (await openAlert(tx, { ...about, detail }, now)) ? 'freezing' : 'frozen';
}

/** The first acceptance ends a freeze; the window starts anew. */
async function thaw(
  tx: Transaction,
  appRef: number,
  at: AnsweringHost,
  now: Date,
): Promise<readonly number[]> {
  const about = { appRef, kind: 'mass_death_freeze', subject: freezeSubject(at) } as const;
  if ((await closeAlertAbout(tx, about, 'recovery', now)) === null) return [];
  const thawed = await clearAnswerWindow(tx, at);
  await noteAcceptance(tx, at, now);
  return thawed;
}
