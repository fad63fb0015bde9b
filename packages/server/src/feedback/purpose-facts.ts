import { tokenFingerprint } from '../domain/address-key.ts';
import type { EventDraft } from '../domain/event.ts';
import type { PurposeTarget } from '../domain/purpose.ts';
import type { Settlement } from '../domain/settlement.ts';
import { appendEvents } from '../store/events.ts';
import { takePurposeTokens, type RefusedPurposeToken } from '../store/purpose-tokens.ts';
import type { Transaction } from '../store/sql.ts';

/** Whose tokens a notification for a purpose went to. */
export interface PurposeScope {
  readonly appRef: number;
  readonly purpose: PurposeTarget;
}

/**
 * Tells the registry what the provider said about tokens for a purpose (rule R8: compare-and-set).
 * It says nothing of the alert token of the same installation, and these tokens are too few, and
 * end too often by themselves, to tell the health of a credential by them. A new report of the
 * token brings it back. Nothing follows a token for a purpose to the next one: a call is over by
 * then, and another activity is another matter.
 */
export async function changePurposeTokens(
  tx: Transaction,
  { appRef, purpose }: PurposeScope,
  settlements: readonly Settlement[],
  now: Date,
): Promise<void> {
  const taken = await takePurposeTokens(tx, purpose, settlements.flatMap(toRefused), now);
  const events = taken.map(({ installationRef, token, status, code }): EventDraft => ({
    installationRef,
    kind: `token.${status}`,
    oldToken: tokenFingerprint(token),
    cause: code,
  }));
  await appendEvents(tx, { appRef, at: now, source: 'provider', requestId: null }, events);
}

function toRefused(one: Settlement): readonly RefusedPurposeToken[] {
  const { tokenFact: fact, installationRef, holderVersion, sentAt } = one;
  if (sentAt === null || (fact?.kind !== 'dead' && fact?.kind !== 'mismatch')) return [];
  const told = fact.kind === 'dead' ? fact.since : null;
  return [
    {
      installationRef,
      holderVersion: holderVersion ?? 0,
      code: fact.code,
      status: fact.kind === 'dead' ? 'retired' : 'quarantined',
      since: told ?? sentAt,
    },
  ];
}
