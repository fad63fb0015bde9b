import { addressKey, tokenFingerprint } from '../domain/address-key.ts';
import type { EventDraft } from '../domain/event.ts';
import type { Outcome } from '../domain/outcome.ts';
import { appendEvents } from '../store/events.ts';
import { closeProbe, type LeasedProbe } from '../store/probes.ts';
import { reofferDead } from '../store/reoffer.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { correctEnvironment, lockForFeedback, retireTokens } from '../store/token-feedback.ts';
import { inTransaction } from '../store/transaction.ts';

/** What a provider said to a probe, and when it was asked. */
export interface ProbeAnswer {
  readonly outcome: Outcome;
  readonly sentAt: Date;
}

/**
 * Draws the conclusion from a probe, once: a token that the other environment takes is put right
 * and in use again; one that is dead there is retired; every other one stays put aside until its
 * device speaks. A challenge is over when it was handed to the provider.
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
    await reofferDead(tx, [probe.installationRef], now);
  });
}

async function conclude(
  tx: Transaction,
  { installationRef, holderVersion, address }: LeasedProbe,
  { outcome, sentAt }: ProbeAnswer,
  now: Date,
): Promise<readonly EventDraft[]> {
  const token = tokenFingerprint(address.token);
  if (outcome.kind === 'accepted' && address.provider === 'apns') {
    const correction = { installationRef, holderVersion, address, key: addressKey(address) };
    const isCorrected = await correctEnvironment(tx, correction, now);
    const cause = 'other_environment';
    return isCorrected ? [{ installationRef, kind: 'token.restored', newToken: token, cause }] : [];
  }
  if (outcome.kind !== 'token_dead') return [];
  const { code, since } = outcome;
  const dead = { installationRef, holderVersion, code, since: since ?? sentAt, heardAt: sentAt };
  const retired = await retireTokens(tx, [dead], now);
  return retired
    .filter(({ status }) => status === 'retired')
    .map(() => ({ installationRef, kind: 'token.retired', oldToken: token, cause: code }));
}
