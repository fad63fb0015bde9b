import assert from 'node:assert/strict';
import type { Message } from '../../domain/message.ts';
import type { Push } from '../../domain/push.ts';
import { apnsCollapseId, collapseKeyOf } from '../collapse-id.ts';
import { blank, compileJsonForm, fillJsonForm, jsonFormBytes } from '../json-form.ts';
import type { BlankValues, JsonForm } from '../json-form.ts';
import { mergeJson, type JsonObject } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';
import { messageProblem } from './message-problem.ts';

/**
 * Expo: "total notification payload must be at most 4096 bytes". It does not say what it counts.
 * The reading here: the whole message but its target and its time to live, which is more than APNs
 * or FCM will get of it.
 */
export const EXPO_PAYLOAD_BYTES = 4096;

/** The most that Android takes, and Expo's own default there. */
const MAX_TTL_SECONDS = 2_419_200;

export type ExpoBuild =
  | { readonly kind: 'message'; readonly json: string; readonly payloadBytes: number }
  | PayloadProblem;

/** What all pushes of a message share: built once, then filled in per push. */
interface Content {
  readonly kind: 'content';
  /** For pushes that carry an addressee tag, and for those that do not. */
  readonly tagged: JsonForm;
  readonly untagged: JsonForm;
}

const contents = new WeakMap<Message, Content | PayloadProblem>();

/**
 * Puts a push into one message of a request. Pure, apart from a cache by the identity of the
 * message. `now` shortens the time to live by the push's age.
 */
export function buildExpoMessage(push: Push, now: Date): ExpoBuild {
  const content = contentOf(push.message);
  if (content.kind === 'problem') return content;
  const { form, values } = fillable(content, push);
  const payloadBytes = jsonFormBytes(form, values);
  if (payloadBytes > EXPO_PAYLOAD_BYTES) {
    const detail = `The payload has ${payloadBytes} bytes; Expo takes ${EXPO_PAYLOAD_BYTES}.`;
    return payloadProblem('payload_too_large', detail);
  }
  // The form is an object with at least its data, so that these two go before its first field.
  const head = `{"to":${JSON.stringify(push.address.token)},"ttl":${ttlSeconds(push, now)},`;
  return { kind: 'message', json: head + fillJsonForm(form, values).slice(1), payloadBytes };
}

/** The size that `buildExpoMessage` finds; 0 for a message that it refuses as such. */
export function measureExpoPayload(push: Push): number {
  const content = contentOf(push.message);
  if (content.kind === 'problem') return 0;
  const { form, values } = fillable(content, push);
  return jsonFormBytes(form, values);
}

function ttlSeconds({ expiresAt }: Push, now: Date): number {
  const leftSeconds = Math.floor((expiresAt.getTime() - now.getTime()) / 1000);
  return Math.min(Math.max(leftSeconds, 0), MAX_TTL_SECONDS);
}

function fillable(content: Content, push: Push): { form: JsonForm; values: BlankValues } {
  assert(push.address.provider === 'expo');
  const { id, rcpt } = push;
  const values = { id, tag: collapseKeyOf(push) ?? id, collapseId: apnsCollapseId(push) };
  if (rcpt === null) return { form: content.untagged, values };
  return { form: content.tagged, values: { ...values, rcpt } };
}

function contentOf(message: Message): Content | PayloadProblem {
  const cached = contents.get(message);
  if (cached !== undefined) return cached;
  const content = buildContent(message);
  contents.set(message, content);
  return content;
}

function buildContent(message: Message): Content | PayloadProblem {
  const problem = messageProblem(message);
  if (problem !== null) return problem;
  const shared = mergeJson(fields(message), message.overrides.expo ?? {});
  const { data } = shared;
  const withHoming = (own: JsonObject): JsonForm =>
    compileJsonForm({ ...shared, data: { ...(data as JsonObject), homing: own } });
  return {
    kind: 'content',
    untagged: withHoming(homing(message)),
    tagged: withHoming({ ...homing(message), rcpt: blank('rcpt') }),
  };
}

/** What a push says, in Expo's fields; iOS takes `collapseId`, Android `tag`. */
function fields(message: Message): JsonObject {
  const { title, body, badge, sound, image, silent, priority, data } = message;
  const replaces = { collapseId: blank('collapseId'), tag: blank('tag') };
  // Apple takes nothing but a normal priority where nothing is shown.
  if (silent) return { data, _contentAvailable: true, priority: 'normal', ...replaces };
  return {
    ...(title === null ? {} : { title }),
    ...(body === null ? {} : { body }),
    data,
    ...(badge === null ? {} : { badge }),
    ...(sound === null ? {} : { sound }),
    ...(image === null ? {} : { richContent: { image } }),
    priority,
    // Our service extension runs first then, and compares the addressee tag.
    mutableContent: true,
    ...replaces,
  };
}

/** Our own keys, under one that callers cannot use; `push` is the same for every attempt. */
function homing({ notificationId, challenge, url, image, actions }: Message): JsonObject {
  return {
    id: notificationId,
    push: blank('id'),
    ...(challenge === null ? {} : { challenge }),
    ...(url === null ? {} : { url }),
    ...(image === null ? {} : { image }),
    ...(actions.length === 0 ? {} : { actions }),
  };
}
