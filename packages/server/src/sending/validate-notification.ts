import type { NotificationInput } from '@homing/protocol';
import { randomUUID } from 'node:crypto';
import type { ProviderName } from '../domain/address.ts';
import { deliveryId, type SkipReason } from '../domain/delivery.ts';
import { judge, type GateRow } from '../domain/gate.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Message } from '../domain/message.ts';
import { expiryOf, timeToLive, type Notification } from '../domain/notification.ts';
import type { Push } from '../domain/push.ts';
import type { App } from '../store/apps.ts';
import {
  findInstallationRefs,
  installationsByRef,
  installationsOfUsers,
  type Candidate,
} from '../store/audience.ts';
import { previewGate, type GatePreview } from '../store/gate-preview.ts';
import type { Database } from '../store/sql.ts';
import { findUserRefs } from '../store/users.ts';
import { unreachableReason } from './expand.ts';
import { createRenderer, type Renderer } from './render.ts';

/**
 * The bytes that a provider would count for a push; 0 when its payload builder refuses the message,
 * null when no builder for this provider is at hand.
 */
export type MeasurePush = (provider: ProviderName, push: Push) => number | null;

/** What a notification would come to if it were sent now. */
export interface DryRun {
  /**
   * False when a provider would refuse the content: reserved keys, bad overrides, too many bytes.
   */
  readonly valid: boolean;
  readonly userBound: boolean;
  /** How many would get it, by `provider/platform`. */
  readonly recipients: ReadonlyMap<string, number>;
  readonly exclusions: ReadonlyMap<SkipReason | 'expired', number>;
  /** The largest payload for each provider. */
  readonly payloadBytes: ReadonlyMap<ProviderName, number>;
  readonly samples: readonly Message[];
}

const SAMPLES = 3;
/** Providers differ in how they count, not in how much they take: 4,096 bytes of payload each. */
const PAYLOAD_BYTES = 4096;

/**
 * The dry run: resolves, judges, renders and measures as a real send would, and stores nothing. The
 * answer is of this moment; who is signed in where is asked again when a notification is sent.
 */
export async function validateNotification(
  db: Database,
  app: App,
  input: NotificationInput,
  measure: MeasurePush,
  now: Date,
): Promise<DryRun> {
  const notification = toNotification(app, input, now);
  const run = new Rehearsal(notification, measure, now);
  const candidates = await resolve(db, app.ref, input.audience);
  const reachable = candidates.filter((candidate) => {
    const reason = unreachableReason(candidate, notification.lane);
    if (reason !== null) run.exclude(reason);
    return reason === null;
  });
  for (let from = 0; from < reachable.length; from += LIMITS.gateSlice) {
    const slice = reachable.slice(from, from + LIMITS.gateSlice);
    for (const preview of await previewGate(db, app.ref, slice)) run.judge(preview);
  }
  return run.result();
}

async function resolve(
  db: Database,
  appRef: number,
  audience: NotificationInput['audience'],
): Promise<readonly Candidate[]> {
  if ('users' in audience) {
    const refs = await findUserRefs(db, appRef, audience.users);
    return installationsOfUsers(db, appRef, [...new Set(refs.values())]);
  }
  const refs = await findInstallationRefs(db, appRef, audience.installations);
  return installationsByRef(db, appRef, refs);
}

/** The notification as workers would read it, had it been accepted now. */
function toNotification(app: App, input: NotificationInput, now: Date): Notification {
  const userBound = 'users' in input.audience;
  const ttl = timeToLive(input.options?.ttl_seconds ?? null, userBound, {
    defaultSeconds: app.defaultTtlSeconds,
    userBoundCeilingSeconds: app.userBoundTtlCeilingSeconds,
  });
  return {
    ref: 0,
    appRef: app.ref,
    appName: app.name,
    id: randomUUID(),
    day: now.toISOString().slice(0, 10),
    content: input.content,
    locales: input.locales ?? {},
    variables: input.variables ?? {},
    recipientVariables: input.recipient_variables ?? {},
    overrides: input.overrides ?? {},
    category: input.category ?? 'transactional',
    userBound,
    priority: input.options?.priority ?? 'high',
    lane: input.options?.lane ?? 'transactional',
    silent: input.options?.silent ?? false,
    dormantGetTransactional: app.dormancy.sendTransactional,
    collapseKey: input.options?.collapse_key ?? null,
    expiresAt: expiryOf(ttl, now),
    createdAt: now,
  };
}

/** Collects what a send would do, one recipient after the other. */
class Rehearsal {
  readonly #notification: Notification;
  readonly #renderer: Renderer;
  readonly #measure: MeasurePush;
  readonly #now: Date;
  readonly #recipients = new Map<string, number>();
  readonly #exclusions = new Map<SkipReason | 'expired', number>();
  readonly #payloadBytes = new Map<ProviderName, number>();
  /** Equal content is one object (see render.ts), so each sample says something else. */
  readonly #samples = new Set<Message>();
  #isValid = true;

  constructor(notification: Notification, measure: MeasurePush, now: Date) {
    this.#notification = notification;
    this.#renderer = createRenderer(notification);
    this.#measure = measure;
    this.#now = now;
  }

  exclude(reason: SkipReason | 'expired'): void {
    count(this.#exclusions, reason);
  }

  judge({ row, platform }: GatePreview): void {
    // Expansion puts every delivery on the lane that serves it, so none has moved yet.
    const chunk = { ref: 0, credentialRef: row.credentialRef ?? 0, cancelled: false };
    const verdict = judge(row, this.#notification, chunk, this.#now);
    switch (verdict.kind) {
      case 'send':
        count(this.#recipients, `${verdict.address.provider}/${platform ?? 'unknown'}`);
        this.#weigh(this.#toPush(row, verdict.address));
        return;
      case 'skip':
        this.exclude(verdict.reason);
        return;
      case 'expired':
        this.exclude('expired');
        return;
      case 'moved':
      case 'settled':
        throw new Error(`a dry run cannot find a delivery ${verdict.kind}`);
    }
  }

  result(): DryRun {
    // An author wants to read the text also while nobody would get it.
    const nobody = this.#renderer.render({ locale: null, userId: null });
    return {
      valid: this.#isValid,
      userBound: this.#notification.userBound,
      recipients: this.#recipients,
      exclusions: this.#exclusions,
      payloadBytes: this.#payloadBytes,
      samples: this.#samples.size === 0 ? [nobody] : [...this.#samples],
    };
  }

  #toPush(row: GateRow, address: Push['address']): Push {
    const { userBound, id, expiresAt } = this.#notification;
    const userId = userBound ? row.ownerId : null;
    return {
      id: deliveryId(id, row),
      address,
      message: this.#renderer.render({ locale: row.locale, userId }),
      rcpt: userBound ? row.rcpt : null,
      collapseScope: row.isShared ? row.rcpt : null,
      expiresAt,
      drawnBySdk: row.sdkVersion !== null,
    };
  }

  #weigh(push: Push): void {
    if (this.#samples.size < SAMPLES) this.#samples.add(push.message);
    const { provider } = push.address;
    const bytes = this.#measure(provider, push);
    if (bytes === null) return;
    if (bytes === 0 || bytes > PAYLOAD_BYTES) this.#isValid = false;
    this.#payloadBytes.set(provider, Math.max(bytes, this.#payloadBytes.get(provider) ?? 0));
  }
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
