import assert from 'node:assert/strict';
import type { AnswerBody } from '../answer.ts';
import { assertConserved } from '../conservation.ts';
import { enrolCrowd } from '../crowd.ts';
import type { Network } from '../network.ts';
import { pushIdentity, type PushIdentity } from '../push-identity.ts';
import { acceptedPushes } from '../pushes.ts';

export interface DeniedAcceptanceOptions {
  /** One of so many pushes is taken and answered with 503. */
  readonly every: number;
  readonly people: number;
  readonly notifications: number;
  readonly onNotification?: (done: number) => void;
}

export interface DeniedAcceptanceCounts {
  readonly recipients: number;
  readonly denied: number;
  /** Pushes that a provider took for the second time, or more often. */
  readonly repeats: number;
  /** What the reports say of it. */
  readonly possibleDuplicates: number;
}

/** Enough for the retries of a push that is denied again and again. */
const HOURS = 3;
const MINUTE_MS = 60_000;

/**
 * Providers take each so many-th push and deny it with a 503. What is repeated is exactly that,
 * under the id and the collapse id that it had, and each report counts its own. Fails the test
 * otherwise.
 */
export async function denyAcceptances(
  network: Network,
  { every, people: count, notifications, onNotification }: DeniedAcceptanceOptions,
): Promise<DeniedAcceptanceCounts> {
  const people = await enrolCrowd(network, count);
  const users = people.map(({ user }) => user);
  const counts = { recipients: 0, denied: 0, repeats: 0, possibleDuplicates: 0 };
  denyEach(network, every);
  for (let done = 1; done <= notifications; done += 1) {
    const before = network.journal.counters.received;
    const report = await sendAndFinish(network, users);
    const entries = network.journal.entries({ after: before });
    const denied = entries.filter(({ fault }) => fault === 'accept_then_answer').length;
    const identities = acceptedPushes(network.journal, before).map(pushIdentity);
    const repeats = identities.length - count;
    assertSameCollapseIds(identities, count);
    assert.equal(report['counts']?.['accepted'], count);
    assert.equal(repeats, denied, 'what was denied is repeated, and nothing else');
    assert.equal(report['possible_duplicates'], ledgerCount(identities), 'the report tells');
    counts.recipients += count;
    counts.denied += denied;
    counts.repeats += repeats;
    counts.possibleDuplicates += Number(report['possible_duplicates']);
    onNotification?.(done);
  }
  assert(counts.repeats <= Math.ceil(counts.recipients / (every - 1)), 'no more than the denials');
  return counts;
}

/** One deal for each simulator: what is denied there does not depend on the other's traffic. */
function denyEach({ apns, fcm }: Network, every: number): void {
  const kind = 'accept_then_answer';
  const schedule = { times: Infinity, every } as const;
  apns.faults.schedule({ ...schedule, fault: { kind, status: 503, reason: 'ServiceUnavailable' } });
  fcm.faults.schedule({ ...schedule, fault: { kind, status: 503, reason: 'UNAVAILABLE' } });
}

async function sendAndFinish(network: Network, users: readonly string[]): Promise<AnswerBody> {
  const id = await network.backEnd.sendToUsers(users);
  for (let minute = 0; minute < HOURS * 60; minute += 1) {
    await network.drain();
    const report = await network.backEnd.report(id);
    assertConserved(report);
    if ((report['status'] as unknown as string) === 'finished') return report;
    await network.clock.advance(MINUTE_MS);
  }
  return assert.fail('not finished within hours');
}

/** Whatever came twice under one id replaces what came first on the screen. */
function assertSameCollapseIds(identities: readonly PushIdentity[], recipients: number): void {
  const collapseIds = new Map<string, Set<string>>();
  for (const { id, collapseId } of identities) {
    const known = collapseIds.get(id) ?? new Set();
    collapseIds.set(id, known.add(collapseId));
  }
  assert.equal(collapseIds.size, recipients, 'one id for each recipient');
  for (const ids of collapseIds.values()) assert.equal(ids.size, 1);
  assert.equal(new Set(identities.map(({ collapseId }) => collapseId)).size, recipients);
}

/** A delivery that was repeated several times is one possible duplicate. */
function ledgerCount(identities: readonly PushIdentity[]): number {
  const groups = Map.groupBy(identities, ({ id }) => id).values();
  return [...groups].filter((pushes) => pushes.length > 1).length;
}
