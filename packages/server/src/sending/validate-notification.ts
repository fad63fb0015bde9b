import assert from 'node:assert';
import type { NotificationInput } from '@homing/protocol';
import { randomUUID } from 'node:crypto';
import type { ProviderName } from '../domain/address.ts';
import { isWalked, walkedAudience } from '../domain/audience.ts';
import { unreachableReason } from '../domain/candidate.ts';
import type { Recipient, SkipReason } from '../domain/delivery.ts';
import { judge } from '../domain/gate.ts';
import { LIMITS } from '../domain/limits.ts';
import type { Message } from '../domain/message.ts';
import { expiryOf, timeToLive, type Notification, type Variables } from '../domain/notification.ts';
import type { Push } from '../domain/push.ts';
import type { App } from '../store/apps.ts';
import {
  WALK_START,
  walkAudience,
  type CandidateGroup,
  type WalkStep,
} from '../store/audience-walk.ts';
import { variablesKey, variablesOfList } from '../store/audience-lists.ts';
import { previewGate, type GatePreview } from '../store/gate-preview.ts';
import type { Database } from '../store/sql.ts';
import { askedTtlSeconds, laneOf, purposeOf } from './accept-notification.ts';
import { findAudienceFacts, type AudienceFacts } from './audience-facts.ts';
import { createPushMaker, type PushMaker } from './push-maker.ts';
import { createRenderer, type Renderer } from './render.ts';
import { resolveNamed } from './resolve-named.ts';

/**
 * The bytes that a provider would count for a push, 0 when its payload builder refuses the message,
 * and how many it takes.
 */
export type MeasurePush = (
  provider: ProviderName,
  push: Push,
) => { readonly bytes: number; readonly most: number };

/** What a notification would come to if it were sent now. */
export interface DryRun {
  /**
   * False when a provider would refuse the content: reserved keys, bad overrides, too many bytes.
   */
  readonly valid: boolean;
  readonly userBound: boolean;
  /** True when not everybody was judged, and the counts are extrapolated. */
  readonly isEstimated: boolean;
  /** How many would get it, by `provider/platform`. */
  readonly recipients: ReadonlyMap<string, number>;
  readonly exclusions: ReadonlyMap<SkipReason | 'expired', number>;
  /** The largest payload for each provider. */
  readonly payloadBytes: ReadonlyMap<ProviderName, number>;
  readonly samples: readonly Message[];
}

const SAMPLES = 3;
/** A tenth of a step of a walk is enough for an estimate; who is named is judged in any case. */
const JUDGED_OF_STEP = 1_000;

/**
 * The dry run: resolves, judges, renders and measures as a real send would, and stores nothing. The
 * answer is of this moment; who is signed in where is asked again when a notification is sent. Null
 * when the app has no such list.
 */
export async function validateNotification(
  db: Database,
  app: App,
  input: NotificationInput,
  measure: MeasurePush,
  now: Date,
): Promise<DryRun | null> {
  const facts = await findAudienceFacts(db, app.ref, input.audience);
  if (facts === null) return null;
  const notification = toNotification(app, input, facts, now);
  const { listRef } = facts;
  const run = new Rehearsal(notification, measure, now);
  const most = isWalked(input.audience) ? JUDGED_OF_STEP : Number.POSITIVE_INFINITY;
  for await (const groups of groupsOf(db, notification, input.audience)) {
    const reachable = groups.flatMap((group) => {
      const reason = unreachableReason(group, notification.lane);
      if (reason === null) return group.recipients;
      run.exclude(reason, group.recipients.length);
      return [];
    });
    const { sample, weight } = takeSample(reachable, most);
    for (let from = 0; from < sample.length; from += LIMITS.gateSlice) {
      const slice = sample.slice(from, from + LIMITS.gateSlice);
      const variables = listRef === null ? new Map() : await variablesOfList(db, listRef, slice);
      for (const preview of await previewGate(db, app.ref, slice, notification.purpose)) {
        run.judge(preview, variables.get(variablesKey(preview.row)) ?? null, weight);
      }
    }
  }
  return run.result();
}

/**
 * An audience in the portions in which it is walked, so that memory does not grow with it; who is
 * named is one portion.
 */
async function* groupsOf(
  db: Database,
  { appRef, userBound, purpose }: Pick<Notification, 'appRef' | 'userBound' | 'purpose'>,
  audience: NotificationInput['audience'],
): AsyncGenerator<readonly CandidateGroup[]> {
  const walked = walkedAudience(audience, userBound);
  if (walked === null) {
    const named = await resolveNamed(db, appRef, audience, purpose);
    yield named.map((candidate) => ({ ...candidate, recipients: [candidate] }));
    return;
  }
  let cursor: string | null = WALK_START;
  while (cursor !== null) {
    const range = { kind: 'after', cursor, limit: LIMITS.walkStep } as const;
    const step: WalkStep = await walkAudience(db, appRef, walked, range);
    yield step.groups;
    ({ cursor } = step);
  }
}

/** So many of some recipients, at even distances, and for how many of all each of them stands. */
function takeSample(recipients: readonly Recipient[], most: number) {
  const count = Math.min(recipients.length, most);
  const weight = count === 0 ? 1 : recipients.length / count;
  const sample = Array.from(
    { length: count },
    (_, index) => recipients[Math.floor(index * weight)] ?? assert.fail('within the recipients'),
  );
  return { sample, weight };
}

/** The notification as workers would read it, had it been accepted now. */
function toNotification(
  app: App,
  input: NotificationInput,
  { userBound, listRef }: AudienceFacts,
  now: Date,
): Notification {
  const ttl = timeToLive(askedTtlSeconds(input), userBound, {
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
    variablesListRef: listRef,
    recipientVariables: input.recipient_variables ?? {},
    overrides: input.overrides ?? {},
    category: input.category ?? 'transactional',
    userBound,
    priority: input.options?.priority ?? 'high',
    lane: laneOf(input),
    silent: input.options?.silent ?? false,
    purpose: purposeOf(input),
    dormantGetTransactional: app.dormancy.sendTransactional,
    collapseKey: input.options?.collapse_key ?? null,
    pacePerSecond: input.options?.pace?.per_second ?? null,
    expiresAt: expiryOf(ttl, now),
    createdAt: now,
  };
}

/** Collects what a send would do, one recipient after the other. */
class Rehearsal {
  readonly #notification: Notification;
  readonly #renderer: Renderer;
  readonly #pushMaker: PushMaker;
  readonly #measure: MeasurePush;
  readonly #now: Date;
  readonly #recipients = new Map<string, number>();
  readonly #exclusions = new Map<SkipReason | 'expired', number>();
  readonly #payloadBytes = new Map<ProviderName, number>();
  /** Equal content is one object (see render.ts), so each sample says something else. */
  readonly #samples = new Set<Message>();
  #isValid = true;
  #isEstimated = false;

  constructor(notification: Notification, measure: MeasurePush, now: Date) {
    this.#notification = notification;
    this.#renderer = createRenderer(notification);
    this.#pushMaker = createPushMaker(notification, this.#renderer);
    this.#measure = measure;
    this.#now = now;
  }

  exclude(reason: SkipReason | 'expired', times: number): void {
    count(this.#exclusions, reason, times);
  }

  /** What is found of this one counts for `weight` recipients, which may be a fraction. */
  judge({ row, platform }: GatePreview, variables: Variables | null, weight: number): void {
    if (weight > 1) this.#isEstimated = true;
    // Expansion puts every delivery on the lane that serves it, so none has moved yet.
    const chunk = { ref: 0, credentialRef: row.credentialRef ?? 0, cancelled: false };
    const verdict = judge(row, this.#notification, chunk, this.#now);
    switch (verdict.kind) {
      case 'send':
        count(this.#recipients, `${verdict.address.provider}/${platform ?? 'unknown'}`, weight);
        this.#weigh(this.#pushMaker.make(row, verdict.address, variables));
        return;
      case 'skip':
        this.exclude(verdict.reason, weight);
        return;
      case 'expired':
        this.exclude('expired', weight);
        return;
      case 'moved':
      case 'settled':
        throw new Error(`a dry run cannot find a delivery ${verdict.kind}`);
    }
  }

  result(): DryRun {
    // An author wants to read the text also while nobody would get it.
    const nobody = this.#renderer.render({ locale: null, userId: null, variables: null });
    return {
      valid: this.#isValid,
      userBound: this.#notification.userBound,
      isEstimated: this.#isEstimated,
      recipients: rounded(this.#recipients),
      exclusions: rounded(this.#exclusions),
      payloadBytes: this.#payloadBytes,
      samples: this.#samples.size === 0 ? [nobody] : [...this.#samples],
    };
  }

  #weigh(push: Push): void {
    if (this.#samples.size < SAMPLES) this.#samples.add(push.message);
    const { provider } = push.address;
    const { bytes, most } = this.#measure(provider, push);
    if (bytes === 0 || bytes > most) this.#isValid = false;
    this.#payloadBytes.set(provider, Math.max(bytes, this.#payloadBytes.get(provider) ?? 0));
  }
}

function count<Key>(counts: Map<Key, number>, key: Key, times: number): void {
  counts.set(key, (counts.get(key) ?? 0) + times);
}

function rounded<Key>(counts: ReadonlyMap<Key, number>): ReadonlyMap<Key, number> {
  return new Map([...counts].map(([key, number]) => [key, Math.round(number)]));
}
