import { addressKey, tokenFingerprint } from '../domain/address-key.ts';
import type { EventDraft } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import { blameMessage } from '../store/blame-message.ts';
import { appendEvents } from '../store/events.ts';
import { closeProbe, type LeasedProbe } from '../store/probes.ts';
import { reofferDead } from '../store/reoffer.ts';
import type { Database, Transaction } from '../store/sql.ts';
import {
  correctEnvironment,
  lockForFeedback,
  restoreDoubted,
  retireTokens,
} from '../store/token-feedback.ts';
import { inTransaction } from '../store/transaction.ts';

/** What a provider said to a probe, and when it was asked. */
export interface ProbeAnswer {
  readonly outcome: Outcome;
  readonly sentAt: Date;
}

/**
 * Draws the conclusion from a probe, once. A token that the other environment takes is put right
 * and in use again, and so is one that is valid after all; one that is dead, or that neither
 * environment knows, is retired; every other one stays put aside until its device speaks. A
 * challenge is over when it was handed to the provider.
 */
export async function settleProbe(
  db: Database,
  probe: LeasedProbe,
  answer: ProbeAnswer,
  now: Date,
): Promise<void> {
  await inTransaction(db, async (tx) => {
    if (!(await closeProbe(tx, probe, now)) || probe.kind === 'challenge') return;
    await lockForFeedback(tx, [probe.installationRef]);
    const events = await conclude(tx, probe, answer, now);
    const context = { appRef: probe.appRef, at: now, source: 'provider', requestId: null } as const;
    await appendEvents(tx, context, events);
    // Not what had its message to blame, which the ledger says by now.
    await reofferDead(tx, [probe.installationRef], now);
  });
}

async function conclude(
  tx: Transaction,
  probe: LeasedProbe,
  { outcome, sentAt }: ProbeAnswer,
  now: Date,
): Promise<readonly EventDraft[]> {
  const { installationRef, holderVersion, address } = probe;
  const token = tokenFingerprint(address.token);
  if (outcome.kind === 'accepted') {
    const cause = await bringBack(tx, probe, now);
    if (cause === null) return [];
    return [{ installationRef, kind: 'token.restored', newToken: token, cause }];
  }
  if (!isDead(outcome)) return [];
  const since = (outcome.kind === 'token_dead' ? outcome.since : null) ?? sentAt;
  const { code } = outcome;
  const dead = { installationRef, holderVersion, code, since, heardAt: sentAt };
  const retired = await retireTokens(tx, [dead], now);
  return retired
    .filter(({ status }) => status === 'retired')
    .map(() => ({ installationRef, kind: 'token.retired', oldToken: token, cause: code }));
}

/** Puts the token that was taken in use again; why it was put aside wrongly, or null. */
async function bringBack(
  tx: Transaction,
  { kind, installationRef, holderVersion, address }: LeasedProbe,
  now: Date,
): Promise<string | null> {
  if (kind === 'validity') {
    const doubted = { installationRef, holderVersion, token: address.token };
    const cleared = await restoreDoubted(tx, doubted, now);
    if (cleared === null) return null;
    await blameMessage(tx, { installationRef, holderVersion, code: cleared.code }, now);
    return 'still_valid';
  }
  if (address.provider !== 'apns') return null;
  const correction = { installationRef, holderVersion, address, key: addressKey(address) };
  return (await correctEnvironment(tx, correction, now)) ? 'other_environment' : null;
}

/** An environment that calls the token malformed too has the last word: there is no third one. */
function isDead(
  outcome: Outcome,
): outcome is Extract<Outcome, { kind: 'token_dead' | 'token_mismatch' }> {
  if (outcome.kind === 'token_dead') return true;
  const { kind } = outcome;
  return kind === 'token_mismatch' && outcome.doubt === 'environment' && outcome.status !== null;
}
