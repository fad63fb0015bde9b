import { randomUUID } from 'node:crypto';
import type { NotificationInput } from '@homing/protocol';
import { isWalked } from '../domain/audience.ts';
import { LIMITS } from '../domain/limits.ts';
import { expiryOf, timeToLive, type Lane } from '../domain/notification.ts';
import type { PurposeTarget } from '../domain/purpose.ts';
import type { App } from '../store/apps.ts';
import { findInstallationRefs } from '../store/audience.ts';
import { appendAudit } from '../store/audit.ts';
import { keepList } from '../store/audience-lists.ts';
import { WALK_START } from '../store/audience-walk.ts';
import { insertChunk, type NewChunk } from '../store/chunks.ts';
import { addExpected, finishIfDone, insertNotification } from '../store/notifications.ts';
import type { Transaction } from '../store/sql.ts';
import { findUserRefs, lockErasures } from '../store/users.ts';
import { findAudienceFacts } from './audience-facts.ts';

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
 * 202 means committed. Nothing is resolved or rendered here; who is signed in where is asked when
 * the chunk is first leased, and again before each push. Null when the app has no such list.
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
  // Of a person who is being erased at this moment nothing may be stored behind the erasure's back.
  if ('users' in input.audience) await lockErasures(tx, app.ref, 'shared');
  const ttl = timeToLive(askedTtlSeconds(input), userBound, {
    defaultSeconds: app.defaultTtlSeconds,
    userBoundCeilingSeconds: app.userBoundTtlCeilingSeconds,
  });
  const expiresAt = expiryOf(ttl, now);
  if (listRef !== null) await keepList(tx, listRef, expiresAt);
  const id = randomUUID();
  const day = now.toISOString().slice(0, 10);
  const lane = laneOf(input);
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
  });
  const place = { appRef: app.ref, notificationRef, day, lane };
  if (isWalked(input.audience)) await enqueueWalk(tx, place, now);
  else await enqueueNamed(tx, place, input.audience, now);
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
  await insertChunk(tx, { ...place, ...UNRESOLVED, cursor: WALK_START, availableAt: now });
}

/** One unresolved chunk for the named audience; nobody known means that nothing is left to do. */
async function enqueueNamed(
  tx: Transaction,
  place: Place,
  audience: NotificationInput['audience'],
  now: Date,
): Promise<void> {
  const userRefs =
    'users' in audience
      ? [...new Set((await findUserRefs(tx, place.appRef, audience.users)).values())]
      : [];
  const installationRefs =
    'installations' in audience
      ? await findInstallationRefs(tx, place.appRef, audience.installations)
      : [];
  if (userRefs.length + installationRefs.length === 0) {
    await addExpected(tx, place.notificationRef, 0);
    await finishIfDone(tx, place.notificationRef, now);
    return;
  }
  await insertChunk(tx, {
    ...place,
    ...UNRESOLVED,
    installationRefs: 'users' in audience ? null : installationRefs,
    userRefs,
    availableAt: now,
  });
}

const UNRESOLVED = {
  credentialRef: null,
  installationRefs: null,
  userRefs: [],
  cursor: null,
  retry: false,
  turn: null,
} as const;
