import { randomUUID } from 'node:crypto';
import type { NotificationInput } from '@homing/protocol';
import { expiryOf, timeToLive } from '../domain/notification.ts';
import type { App } from '../store/apps.ts';
import { findInstallationRefs } from '../store/audience.ts';
import { insertChunk } from '../store/chunks.ts';
import { addExpected, finishIfDone, insertNotification } from '../store/notifications.ts';
import type { Transaction } from '../store/sql.ts';
import { findUserRefs } from '../store/users.ts';

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
 * the chunk is first leased, and again before each push.
 */
export async function acceptNotification(
  tx: Transaction,
  app: App,
  input: NotificationInput,
  now: Date,
): Promise<AcceptedNotification> {
  const userBound = 'users' in input.audience;
  const ttl = timeToLive(input.options?.ttl_seconds ?? null, userBound, {
    defaultSeconds: app.defaultTtlSeconds,
    userBoundCeilingSeconds: app.userBoundTtlCeilingSeconds,
  });
  const id = randomUUID();
  const day = now.toISOString().slice(0, 10);
  const lane = input.options?.lane ?? 'transactional';
  const notificationRef = await insertNotification(tx, {
    appRef: app.ref,
    id,
    day,
    audience: input.audience,
    content: input.content,
    locales: input.locales ?? {},
    variables: input.variables ?? {},
    recipientVariables: input.recipient_variables ?? {},
    overrides: input.overrides ?? {},
    category: input.category ?? 'transactional',
    labels: input.labels ?? {},
    userBound,
    priority: input.options?.priority ?? 'high',
    lane,
    silent: input.options?.silent ?? false,
    collapseKey: input.options?.collapse_key ?? null,
    ttlSeconds: ttl.seconds,
    expiresAt: expiryOf(ttl, now),
    createdAt: now,
  });
  const place = { appRef: app.ref, notificationRef, day, lane };
  await enqueue(tx, place, input.audience, now);
  return { id, userBound, ttlSeconds: ttl.seconds, ttlShortened: ttl.shortened };
}

/** One unresolved chunk for the named audience; nobody known means that nothing is left to do. */
async function enqueue(
  tx: Transaction,
  place: {
    readonly appRef: number;
    readonly notificationRef: number;
    readonly day: string;
    readonly lane: 'transactional' | 'bulk';
  },
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
    credentialRef: null,
    installationRefs: 'users' in audience ? null : installationRefs,
    userRefs,
    retry: false,
    availableAt: now,
  });
}
