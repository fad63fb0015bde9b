import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import type { HmsKind } from '../../domain/address.ts';
import type { Message } from '../../domain/message.ts';
import type { Push } from '../../domain/push.ts';
import { collapseKeyOf } from '../collapse-id.ts';
import { isJsonObject, mergeJson } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';
import { messageProblem, type OVERRIDABLE } from './message-problem.ts';

/** Huawei: the body of a call has 4096 bytes at most, its tokens not counted. */
export const HMS_PAYLOAD_BYTES = 4096;

/** Huawei: fifteen days. Nobody is told what a time to live of nothing would mean. */
const TTL_SECONDS = { least: 1, most: 15 * 24 * 60 * 60 };

/** Huawei's collapse keys are the numbers from 1 to 100; -1 keeps all for an absent device. */
const COLLAPSE_KEYS = 100;
const KEEP_ALL = -1;

/** The kinds of push of the API for HarmonyOS NEXT, which it wants in a header. */
const ALERT = '0';
const BACKGROUND = '6';

/** A message that tokens are only to be added to: those of equal contents share a call. */
export interface HmsContent {
  readonly kind: 'content';
  readonly target: HmsKind;
  /** The header `push-type`; null where there is none. */
  readonly pushType: string | null;
  /** A JSON object, not an empty one. */
  readonly text: string;
}

/** Puts a push into the words of Push Kit. `now` shortens the time to live by the push's age. */
export function buildHmsContent(
  push: Push,
  now: Date,
  options: { readonly highPriority: boolean },
): HmsContent | PayloadProblem {
  const content = contentOf(push, now, options.highPriority);
  if (content.kind === 'problem') return content;
  const bytes = Buffer.byteLength(requestText(content, []));
  if (bytes <= HMS_PAYLOAD_BYTES) return content;
  const detail = `The payload has ${bytes} bytes; HMS takes ${HMS_PAYLOAD_BYTES}.`;
  return payloadProblem('payload_too_large', detail);
}

/** The size that Huawei would count; 0 for a message that is refused as such. */
export function measureHmsPayload(push: Push): number {
  const longestTtl = new Date(push.expiresAt.getTime() - TTL_SECONDS.most * 1000);
  const content = contentOf(push, longestTtl, false);
  return content.kind === 'problem' ? 0 : Buffer.byteLength(requestText(content, []));
}

/** The body of a call that sends a content to these tokens. */
export function requestText({ target, text }: HmsContent, tokens: readonly string[]): string {
  const list = JSON.stringify(tokens);
  const fields = text.slice(1);
  return target === 'android'
    ? `{"validate_only":false,"message":{"token":${list},${fields}}`
    : `{"target":{"token":${list}},${fields}`;
}

function contentOf(push: Push, now: Date, highPriority: boolean): HmsContent | PayloadProblem {
  const { message, address } = push;
  assert(address.provider === 'hms', 'a push reaches the provider of its address');
  const problem = messageProblem(message);
  if (problem !== null) return problem;
  const leftSeconds = Math.floor((push.expiresAt.getTime() - now.getTime()) / 1000);
  const ttlSeconds = Math.min(Math.max(leftSeconds, TTL_SECONDS.least), TTL_SECONDS.most);
  const isHarmony = address.kind === 'harmony';
  const content = isHarmony
    ? harmonyMessage(push, ttlSeconds)
    : androidMessage(push, ttlSeconds, highPriority);
  const text = JSON.stringify(content);
  const pushType = message.silent ? BACKGROUND : ALERT;
  return { kind: 'content', target: address.kind, pushType: isHarmony ? pushType : null, text };
}

/** For the first and second versions of the API. */
function androidMessage(push: Push, ttlSeconds: number, highPriority: boolean): JsonObject {
  const { message, drawnBySdk } = push;
  const { notification, android } = overridesOf(message);
  const data = JSON.stringify(dataOf(push, drawnBySdk && !message.silent));
  const options = {
    collapse_key: collapseNumber(push),
    // Without Huawei's permission a high priority is an error.
    urgency: highPriority && message.priority === 'high' ? 'HIGH' : 'NORMAL',
    ttl: `${ttlSeconds}s`,
  };
  if (message.silent || drawnBySdk) {
    return { data, android: mergeJson(options, withoutNotification(android)) };
  }
  const shown = { ...options, notification: androidNotification(push) };
  const general = Object.keys(notification).length === 0 ? {} : { notification };
  return { data, ...general, android: mergeJson(shown, android) };
}

function androidNotification(push: Push): JsonObject {
  const { title, body, image, badge, sound } = push.message;
  return {
    ...(title === null ? {} : { title }),
    ...(body === null ? {} : { body }),
    ...(image === null ? {} : { image }),
    ...(badge === null ? {} : { badge: { set_num: badge } }),
    ...(sound === null ? {} : { sound }),
    // Huawei insists on one; this opens the app, which finds the rest in the data.
    click_action: { type: 3 },
    tag: tagOf(push),
  };
}

/** For the third version of the API. On HarmonyOS NEXT only the system draws. */
function harmonyMessage(push: Push, ttlSeconds: number): JsonObject {
  const { message } = push;
  const { payload, pushOptions } = overridesOf(message);
  const content = message.silent
    ? mergeJson({ extraData: JSON.stringify(dataOf(push, false)) }, withoutNotification(payload))
    : mergeJson({ notification: harmonyNotification(push) }, payload);
  return { payload: content, pushOptions: mergeJson({ ttl: ttlSeconds }, pushOptions) };
}

function harmonyNotification(push: Push): JsonObject {
  const { title, body, image, badge, sound } = push.message;
  return {
    // The only category that needs no permission of Huawei's.
    category: 'MARKETING',
    ...(title === null ? {} : { title }),
    ...(body === null ? {} : { body }),
    ...(image === null ? {} : { image }),
    ...(badge === null ? {} : { badge: { setNum: badge } }),
    ...(sound === null ? {} : { sound }),
    clickAction: { actionType: 0, data: dataOf(push, false) },
    notifyId: digestNumber(tagOf(push)) & 0x7fffffff,
  };
}

/** The caller's fields for both formats of messages; each takes its own. */
function overridesOf({ overrides }: Message): Record<(typeof OVERRIDABLE)[number], JsonObject> {
  const given = overrides.hms ?? {};
  const field = (name: string): JsonObject => {
    const value = given[name];
    return isJsonObject(value) ? value : {};
  };
  return {
    notification: field('notification'),
    android: field('android'),
    payload: field('payload'),
    pushOptions: field('pushOptions'),
  };
}

/** What the system is not to draw must not come to a `notification` by way of an override. */
function withoutNotification({ notification: _dropped, ...others }: JsonObject): JsonObject {
  return others;
}

/** Our own keys begin with `homing_`; whatever our SDK has to draw itself travels here as well. */
function dataOf(push: Push, isDrawn: boolean): JsonObject {
  const { message, rcpt, id } = push;
  const { title, body, url, image, actions, badge, sound } = message;
  return {
    ...message.data,
    homing_notification: message.notificationId,
    ...(message.challenge === null ? {} : { homing_challenge: message.challenge }),
    // What is bound to nobody says the same to all, so that one call can take it to all of them.
    ...(rcpt === null ? {} : { homing_id: id, homing_rcpt: rcpt }),
    ...(url === null ? {} : { homing_url: url }),
    ...(actions.length === 0 ? {} : { homing_actions: JSON.stringify(actions) }),
    ...(isDrawn && title !== null ? { homing_title: title } : {}),
    ...(isDrawn && body !== null ? { homing_body: body } : {}),
    ...(isDrawn && image !== null ? { homing_image: image } : {}),
    ...(isDrawn && badge !== null ? { homing_badge: String(badge) } : {}),
    ...(isDrawn && sound !== null ? { homing_sound: sound } : {}),
    ...(isDrawn ? { homing_tag: tagOf(push) } : {}),
  };
}

/**
 * By what a device replaces one notification by another: the caller's collapse key, or else what
 * is the same for every attempt. On one device that is the notification, for each of its users.
 */
function tagOf(push: Push): string {
  return collapseKeyOf(push) ?? (push.rcpt === null ? push.message.notificationId : push.id);
}

function collapseNumber(push: Push): number {
  const collapseKey = collapseKeyOf(push);
  return collapseKey === null ? KEEP_ALL : 1 + (digestNumber(collapseKey) % COLLAPSE_KEYS);
}

function digestNumber(text: string): number {
  return hash('sha256', text, 'buffer').readUInt32BE(0);
}
