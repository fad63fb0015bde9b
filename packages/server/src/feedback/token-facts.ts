import assert from 'node:assert';
import { tokenFingerprint } from '../domain/address-key.ts';
import type { EventDraft } from '../domain/event.ts';
import type { TokenDoubt } from '../domain/outcome.ts';
import type { Settlement, TokenFact } from '../domain/settlement.ts';
import { findProven, recordAcceptances } from '../store/acceptances.ts';
import { appendEvents } from '../store/events.ts';
import { insertEnvironmentProbes, insertValidityProbes } from '../store/probes.ts';
import type { Transaction } from '../store/sql.ts';
import {
  endFailures,
  findMovedOn,
  lockForFeedback,
  quarantineTokens,
  recordFailures,
  retireTokens,
  type ChangedToken,
} from '../store/token-feedback.ts';

/** Notes, once a day, that a provider took something for an installation. */
export async function noteAccepted(
  tx: Transaction,
  settlements: readonly Settlement[],
  now: Date,
): Promise<void> {
  const accepted = factsOf(settlements, 'accepted').map((one) => one.installationRef);
  await recordAcceptances(tx, accepted, now.toISOString().slice(0, 10));
}

/**
 * Tells the registry what the provider said about tokens (rule R8: compare-and-set). What a frozen
 * host says is only noted. Returns the installations that had another token by the time their
 * former one was refused. An acceptance where nothing had failed, which is nearly every push, takes
 * no installation.
 */
export async function changeTokens(
  tx: Transaction,
  appRef: number,
  settlements: readonly Settlement[],
  frozen: ReadonlySet<string>,
  now: Date,
): Promise<readonly number[]> {
  const facts = settlements.filter(changesToken);
  if (facts.length === 0) return [];
  await lockForFeedback(
    tx,
    facts.map((one) => one.installationRef),
  );
  const losses = [...factsOf(facts, 'dead'), ...factsOf(facts, 'mismatch')];
  const isSpared = (one: Settlement): boolean => one.host !== null && frozen.has(one.host);
  const [spared, believed] = [losses.filter(isSpared), losses.filter((one) => !isSpared(one))];
  const events = (await takeAway(tx, believed, now)).map(toEvent);
  const failed = [...spared, ...factsOf(facts, 'failure')];
  await recordFailures(tx, failed.map(toFailed), now);
  const accepted = factsOf(facts, 'accepted').map((one) => one.installationRef);
  await endFailures(tx, accepted);
  await appendEvents(tx, { appRef, at: now, source: 'provider', requestId: null }, events);
  // A frozen host would refuse a confirmed token again and again; it waits for the thaw.
  const untouched = spared.map((one) => ({ ...toFailed(one), since: null }));
  return findMovedOn(tx, [...believed.map(toRefused), ...untouched]);
}

/** Whether it says something about a token that the registry has to write down. */
export function changesToken({ tokenFact: fact }: Settlement): boolean {
  return fact?.kind === 'accepted' ? fact.endsFailures : fact !== null;
}

type Loss = WithFact<'dead'> | WithFact<'mismatch'>;

/**
 * Retires what is dead for sure and puts the rest aside. Where the refusal leaves a question open,
 * a probe asks it.
 */
async function takeAway(
  tx: Transaction,
  losses: readonly Loss[],
  now: Date,
): Promise<readonly ChangedToken[]> {
  const proven = await findProven(tx, losses.filter(isAbout('validity')).map(refOf));
  const isDead = (one: Loss): boolean =>
    one.tokenFact.kind === 'dead' && !(isAbout('validity')(one) && proven.has(refOf(one)));
  const retired = await retireTokens(tx, losses.filter(isDead).map(toRefused), now);
  const doubted = losses.filter((one) => !isDead(one));
  const quarantined = await quarantineTokens(tx, doubted.map(toRefused), now);
  const aside = new Set(quarantined.map((token) => token.installationRef));
  const open = doubted.filter((one) => aside.has(refOf(one)));
  await insertEnvironmentProbes(tx, open.filter(isAbout('environment')).map(refOf), now);
  await insertValidityProbes(tx, open.filter(isAbout('validity')).map(refOf), now);
  return [...retired, ...quarantined];
}

function isAbout(doubt: TokenDoubt): (loss: Loss) => boolean {
  return ({ tokenFact }) => tokenFact.doubt === doubt;
}

function refOf({ installationRef }: Loss): number {
  return installationRef;
}

type WithFact<K extends TokenFact['kind']> = Settlement & {
  readonly tokenFact: Extract<TokenFact, { kind: K }>;
};

function factsOf<K extends TokenFact['kind']>(
  settlements: readonly Settlement[],
  kind: K,
): readonly WithFact<K>[] {
  return settlements.filter((one): one is WithFact<K> => one.tokenFact?.kind === kind);
}

/** Without the provider's word on since when, what counts is when the push was sent. */
function toRefused(one: Loss) {
  assert(one.sentAt !== null, 'only an answer makes a fact');
  const told = one.tokenFact.kind === 'dead' ? one.tokenFact.since : null;
  return { ...toFailed(one), since: told ?? one.sentAt, heardAt: one.heardAt ?? one.sentAt };
}

function toFailed(one: WithFact<'dead' | 'mismatch' | 'failure'>) {
  return {
    installationRef: one.installationRef,
    holderVersion: one.holderVersion ?? 0,
    code: one.tokenFact.code,
  };
}

function toEvent(token: ChangedToken): EventDraft {
  return {
    installationRef: token.installationRef,
    kind: `token.${token.status}`,
    oldToken: tokenFingerprint(token.token),
    cause: token.code,
  };
}
