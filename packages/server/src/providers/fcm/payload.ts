import assert from 'node:assert/strict';
import type { Message } from '../../domain/message.ts';
import type { Push } from '../../domain/push.ts';
import { actionsCategory } from '../actions-category.ts';
import { apnsCollapseId, collapseKeyOf } from '../collapse-id.ts';
import { blank, compileJsonForm, fillJsonForm, jsonFormBytes } from '../json-form.ts';
import type { BlankValues, JsonForm } from '../json-form.ts';
import { isJsonObject, mergeJson } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';
import { messageProblem } from './message-problem.ts';

/**
 * Firebase: "Maximum payload size for both message types is 4096 bytes". The reading here: each
 * platform gets its own payload, and the larger one counts. Android gets `notification`, `data` and
 * `android.notification`; an iPhone gets the data keys beside `aps` with the alert inside. Target,
 * delivery options and the other platform's block do not count.
 */
export const FCM_PAYLOAD_BYTES = 4096;

/** Firebase: "the maximum time to live supported is 4 weeks". */
const MAX_TTL_SECONDS = 28 * 24 * 60 * 60;

export type FcmBuild =
  | { readonly kind: 'request'; readonly body: Buffer; readonly payloadBytes: number }
  | PayloadProblem;

/** What all pushes of a message share: built once, then filled in per push. */
interface Content {
  readonly kind: 'content';
  readonly request: JsonForm;
  readonly android: JsonForm;
  readonly apple: JsonForm;
}

type ContentVariant = `${'drawn' | 'shown'}:${'tagged' | 'untagged'}:${'token' | 'fid'}`;
type Variants = Map<ContentVariant, Content | PayloadProblem>;

const contents = new WeakMap<Message, Variants>();

/**
 * Puts a push into the body of `messages:send`. Pure, apart from a cache by the identity of the
 * message. `now` shortens the time to live by the push's age.
 */
export function buildFcmRequest(push: Push, now: Date): FcmBuild {
  const content = contentOf(push);
  if (content.kind === 'problem') return content;
  const values = blankValues(push, now);
  const payloadBytes = largerPayload(content, values);
  if (payloadBytes > FCM_PAYLOAD_BYTES) {
    const detail = `The payload has ${payloadBytes} bytes; FCM takes ${FCM_PAYLOAD_BYTES}.`;
    return payloadProblem('payload_too_large', detail);
  }
  const body = Buffer.from(fillJsonForm(content.request, values));
  return { kind: 'request', body, payloadBytes };
}

/** The size that FCM would count, by our reading; 0 for a message that is refused as such. */
export function measureFcmPayload(push: Push): number {
  const content = contentOf(push);
  // The time to live does not count, so any instant serves.
  return content.kind === 'problem' ? 0 : largerPayload(content, blankValues(push, push.expiresAt));
}

function largerPayload({ android, apple }: Content, values: BlankValues): number {
  return Math.max(jsonFormBytes(android, values), jsonFormBytes(apple, values));
}

function blankValues(push: Push, now: Date): BlankValues {
  const { id, rcpt, expiresAt } = push;
  const collapseKey = collapseKeyOf(push);
  const leftSeconds = Math.floor((expiresAt.getTime() - now.getTime()) / 1000);
  return {
    target: push.address.token,
    id,
    rcpt: rcpt ?? '',
    tag: collapseKey ?? id,
    collapseKey: collapseKey ?? '',
    ttl: `${Math.min(Math.max(leftSeconds, 0), MAX_TTL_SECONDS)}s`,
    collapseId: apnsCollapseId(push),
    expiration: String(Math.floor(expiresAt.getTime() / 1000)),
  };
}

function contentOf(push: Push): Content | PayloadProblem {
  const { message, address, rcpt } = push;
  assert(address.provider === 'fcm');
  const drawn = push.drawnBySdk ? 'drawn' : 'shown';
  const variant: ContentVariant = `${drawn}:${rcpt === null ? 'untagged' : 'tagged'}:${address.kind}`;
  const variants: Variants = contents.get(message) ?? new Map();
  contents.set(message, variants);
  const cached = variants.get(variant);
  if (cached !== undefined) return cached;
  const content = buildContent(push, address.kind);
  variants.set(variant, content);
  return content;
}

function buildContent(push: Push, target: 'token' | 'fid'): Content | PayloadProblem {
  const { message } = push;
  const problem = messageProblem(message);
  if (problem !== null) return problem;
  const shown = !message.silent && !push.drawnBySdk;
  const base: JsonObject = {
    ...(shown ? { notification: notification(message) } : {}),
    data: data(push),
    android: android(message, shown),
    apns: apns(message, shown),
    ...webpush(message),
  };
  const merged = mergeJson(base, message.overrides.fcm ?? {});
  return {
    kind: 'content',
    request: compileJsonForm({
      ...(message.isTrial === true && { validate_only: true }),
      message: { [target]: blank('target'), ...merged },
    }),
    android: compileJsonForm(androidPayload(merged)),
    apple: compileJsonForm(applePayload(merged)),
  };
}

function alert({ title, body }: Message): JsonObject {
  return { ...(title === null ? {} : { title }), ...(body === null ? {} : { body }) };
}

function notification(message: Message): JsonObject {
  const { image } = message;
  return { ...alert(message), ...(image === null ? {} : { image }) };
}

/** Our own keys begin with `homing_`; whatever our SDK has to draw itself travels here as well. */
function data({ message, rcpt, drawnBySdk }: Push): JsonObject {
  const { title, body, url, image, actions, badge, sound } = message;
  const drawn = drawnBySdk && !message.silent;
  return {
    ...message.data,
    homing_id: blank('id'),
    homing_notification: message.notificationId,
    ...(message.challenge === null ? {} : { homing_challenge: message.challenge }),
    ...(rcpt === null ? {} : { homing_rcpt: blank('rcpt') }),
    ...(url === null ? {} : { homing_url: url }),
    ...(actions.length === 0 ? {} : { homing_actions: JSON.stringify(actions) }),
    ...(drawn && title !== null ? { homing_title: title } : {}),
    ...(drawn && body !== null ? { homing_body: body } : {}),
    ...(drawn && image !== null ? { homing_image: image } : {}),
    ...(drawn && badge !== null ? { homing_badge: String(badge) } : {}),
    ...(drawn && sound !== null ? { homing_sound: sound } : {}),
    ...(drawn ? { homing_tag: blank('tag') } : {}),
  };
}

function android({ priority, collapseKey, badge, sound }: Message, shown: boolean): JsonObject {
  const drawer = {
    tag: blank('tag'),
    ...(badge === null ? {} : { notification_count: badge }),
    ...(sound === null ? {} : { sound }),
  };
  return {
    priority: priority === 'high' ? 'HIGH' : 'NORMAL',
    ttl: blank('ttl'),
    // A device keeps four collapse keys and collapsible messages are throttled, so none is made up.
    ...(collapseKey === null ? {} : { collapse_key: blank('collapseKey') }),
    ...(shown ? { notification: drawer } : {}),
  };
}

/**
 * The same token may belong to an iPhone, where the system draws even what our Android SDK would.
 */
function apns(message: Message, shown: boolean): JsonObject {
  const { silent, badge, sound, priority, actions } = message;
  const loud = {
    'mutable-content': 1,
    ...(shown ? {} : { alert: alert(message) }),
    ...(badge === null ? {} : { badge }),
    ...(sound === null ? {} : { sound }),
    ...(actions.length === 0 ? {} : { category: actionsCategory(actions) }),
  };
  return {
    headers: {
      'apns-push-type': silent ? 'background' : 'alert',
      'apns-priority': silent || priority === 'normal' ? '5' : '10',
      'apns-collapse-id': blank('collapseId'),
      'apns-expiration': blank('expiration'),
    },
    payload: { aps: silent ? { 'content-available': 1 } : loud },
  };
}

/** What a click leads to in a browser; FCM takes nothing but https there. */
function webpush({ url, silent }: Message): JsonObject {
  if (silent || url === null || !url.startsWith('https://')) return {};
  return { webpush: { fcm_options: { link: url } } };
}

function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}

function androidPayload(merged: JsonObject): JsonObject {
  const { notification, data } = merged;
  return { notification, data, android: objectAt(merged, 'android')['notification'] };
}

function applePayload(merged: JsonObject): JsonObject {
  const { title, body } = objectAt(merged, 'notification');
  const payload = objectAt(objectAt(merged, 'apns'), 'payload');
  const aps = mergeJson({ alert: { title, body } }, objectAt(payload, 'aps'));
  return { ...objectAt(merged, 'data'), ...payload, aps };
}
