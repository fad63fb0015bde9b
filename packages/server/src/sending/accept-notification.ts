import assert from 'node:assert';
import { randomUUID } from 'node:crypto';
import type { NotificationInput } from '@homing/protocol';
import { isWalked } from '../domain/audience.ts';
import { unreachableReason } from '../domain/candidate.ts';
import { LIMITS } from '../domain/limits.ts';
import { expiryOf, timeToLive, type Lane } from '../domain/notification.ts';
import type { PurposeTarget } from '../domain/purpose.ts';
import { skip } from '../domain/settlement.ts';
import type { App } from '../store/apps.ts';
import type { Candidate } from '../store/audience.ts';
import { appendAudit } from '../store/audit.ts';
import { keepList } from '../store/audience-lists.ts';
import { WALK_START } from '../store/audience-walk.ts';
import { insertChunk, type NewChunk } from '../store/chunks.ts';
import { recordDeliveries } from '../store/ledger.ts';
import { insertNotification } from '../store/notifications.ts';
import type { Transaction } from '../store/sql.ts';
import { lockErasures } from '../store/users.ts';
import { findAudienceFacts } from './audience-facts.ts';
import { enqueueShares } from './enqueue.ts';
import { resolveNamed } from './resolve-named.ts';

/** The app that sends, and the secret key that speaks for it. */
export interface NotificationSender {
  readonly app: App;
  readonly keyHint: string;
  readonly requestId: string;
}

export interface AcceptedNotification {
  /** UUID. */
  readonly id: string;
  readonly userBound: boolean;
  readonly ttlSeconds: number;
  /** True when the asked-for time to live exceeds what user-bound content may have. */
  readonly ttlShortened: boolean;
}

/**
 * Takes a notification in: stored with the work it makes, in the caller's transaction, so that a
 * 202 means committed. Named users are looked up at once, which costs a send to one of them a third
 * of what a chunk that is leased for nothing else does; every other audience is walked when its
 * chunk is leased. Who is signed in where is asked again before each push. Null when the app has no
 * such list.
 */
export async function acceptNotification(
  tx: Transaction,
  { app, keyHint, requestId }: NotificationSender,
  input: NotificationInput,
  now: Date,
): Promise<AcceptedNotification | null> {
  const facts = await findAudienceFacts(tx, app.ref, input.audience);
  if (facts === null) return null;
  const { userBound, listRef } = facts;
  const lane = laneOf(input);
  const named = isWalked(input.audience) ? null : await findNamed(tx, app.ref, input, lane);
  const ttl = timeToLive(askedTtlSeconds(input), userBound, {
    defaultSeconds: app.defaultTtlSeconds,
    userBoundCeilingSeconds: app.userBoundTtlCeilingSeconds,
  });
  const expiresAt = expiryOf(ttl, now);
  if (listRef !== null) await keepList(tx, listRef, expiresAt);
  const id = randomUUID();
  const day = now.toISOString().slice(0, 10);
  const notificationRef = await insertNotification(tx, {
    appRef: app.ref,
    id,
    day,
    audience: input.audience,
    content: input.content,
    locales: input.locales ?? {},
    variables: input.variables ?? {},
    recipientVariables: variablesOfRecipients(input),
    overrides: input.overrides ?? {},
    category: input.category ?? 'transactional',
    labels: input.labels ?? {},
    userBound,
    priority: input.options?.priority ?? 'high',
    lane,
    silent: input.options?.silent ?? false,
    purpose: purposeOf(input),
    collapseKey: input.options?.collapse_key ?? null,
    pacePerSecond: input.options?.pace?.per_second ?? null,
    ttlSeconds: ttl.seconds,
    expiresAt,
    createdAt: now,
    expected: named?.candidates.length ?? null,
    finishedAt: named?.reachable.length === 0 ? now : null,
  });
  const place = { appRef: app.ref, notificationRef, day, lane };
  if (named === null) await enqueueWalk(tx, place, now);
  else await enqueueNamed(tx, place, named, now);
  await appendAudit(tx, [
    {
      appRef: app.ref,
      actor: keyHint,
      action: 'notification.create',
      subject: `notification/${notificationRef}`,
      requestId,
      before: null,
      after: { lane, user_bound: userBound },
    },
  ]);
  return { id, userBound, ttlSeconds: ttl.seconds, ttlShortened: ttl.shortened };
}

/** What is said about people who are not addressed is not kept: an erasure would not find it. */
function variablesOfRecipients(input: NotificationInput): Readonly<Record<string, unknown>> {
  const { audience, recipient_variables: variables = {} } = input;
  if (!('users' in audience)) return {};
  const users = new Set(audience.users);
  return Object.fromEntries(Object.entries(variables).filter(([id]) => users.has(id)));
}

/** What goes to an audience that nobody could name is a campaign, unless its sender says not. */
export function laneOf({ audience, options }: NotificationInput): Lane {
  return options?.lane ?? (isWalked(audience) ? 'bulk' : 'transactional');
}

/** What a notification is for; null where it goes to the alert tokens. */
export function purposeOf({ options }: NotificationInput): PurposeTarget | null {
  const { purpose: name, activity_id: activityId = '' } = options ?? {};
  return name === undefined ? null : { name, activityId };
}

/** A call that rings much later than it was made is worse than none. */
export function askedTtlSeconds({ options }: NotificationInput): number | null {
  const asked = options?.ttl_seconds ?? null;
  return asked ?? (options?.purpose === 'voip' ? LIMITS.callTtlSeconds : null);
}

type Place = Pick<NewChunk, 'appRef' | 'notificationRef' | 'day' | 'lane'>;

/** One chunk that walks over the audience, from its beginning. */
async function enqueueWalk(tx: Transaction, place: Place, now: Date): Promise<void> {
  await insertChunk(tx, {
    ...place,
    credentialRef: null,
    installationRefs: null,
    userRefs: [],
    cursor: WALK_START,
    retry: false,
    availableAt: now,
    turn: null,
  });
}

/** Whom a named audience comes to, and who of them has a way to be reached. */
interface NamedAudience {
  readonly candidates: readonly Candidate[];
  readonly reachable: readonly Candidate[];
}

async function findNamed(
  tx: Transaction,
  appRef: number,
  input: NotificationInput,
  lane: Lane,
): Promise<NamedAudience> {
  const { audience } = input;
  // Of a person who is being erased at this moment nothing may be stored behind the erasure's back.
  if ('users' in audience) await lockErasures(tx, appRef, 'shared');
  const candidates = await resolveNamed(tx, appRef, audience, purposeOf(input));
  return {
    candidates,
    reachable: candidates.filter((one) => unreachableReason(one, lane) === null),
  };
}

/** Puts each on the lane of its credential, and records those that no lane leads to. */
async function enqueueNamed(
  tx: Transaction,
  place: Place,
  { candidates, reachable }: NamedAudience,
  now: Date,
): Promise<void> {
  const unreachable = candidates.flatMap((candidate) => {
    const reason = unreachableReason(candidate, place.lane);
    return reason === null ? [] : [skip(candidate, reason)];
  });
  await recordDeliveries(tx, [{ place, settlements: unreachable }], now);
  const byCredential = Map.groupBy(reachable, (one) => one.credentialRef);
  const shares = [...byCredential].map(([credentialRef, recipients]) => {
    assert(credentialRef !== null, 'whoever can be reached has a credential');
    return { credentialRef, recipients };
  });
  await enqueueShares(tx, { ...place, turn: null }, shares, now);
}
