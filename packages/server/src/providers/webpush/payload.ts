import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import type { Message } from '../../domain/message.ts';
import type { Push } from '../../domain/push.ts';
import { collapseKeyOf } from '../collapse-id.ts';
import { blank, compileJsonForm, fillJsonForm, jsonFormBytes } from '../json-form.ts';
import type { BlankValues, JsonForm } from '../json-form.ts';
import { isJsonObject, mergeJson } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';
import { WEB_PUSH_PAYLOAD_BYTES } from './padding.ts';

/** RFC 8030 section 5.3. */
export type Urgency = 'very-low' | 'low' | 'normal' | 'high';

const URGENCY = /^(?:very-low|low|normal|high)$/;

/** Google keeps a message for four weeks at most, and so does Homing. */
const MAX_TTL_SECONDS = 28 * 24 * 60 * 60;

/**
 * What `overrides.webpush` may hold beside `headers`: what the service worker hands to
 * `showNotification`. `homing` and `tag` carry Homing's own promises.
 */
const OVERRIDES: ReadonlySet<string> = new Set([
  'title',
  'body',
  'icon',
  'image',
  'url',
  'actions',
  'badge',
  'data',
  'dir',
  'lang',
  'renotify',
  'requireInteraction',
  'silent',
  'timestamp',
  'vibrate',
]);

/** A message in the words of Web Push, not encrypted yet. */
export type WebPushBuild =
  | {
      readonly kind: 'plain';
      readonly plaintext: Buffer;
      readonly ttlSeconds: number;
      readonly urgency: Urgency;
      readonly topic: string;
    }
  | PayloadProblem;

/** What all pushes of a message share: built once, then filled in per push. */
interface Content {
  readonly kind: 'content';
  readonly urgency: Urgency;
  /** For pushes that carry an addressee tag, and for those that do not. */
  readonly tagged: JsonForm;
  readonly untagged: JsonForm;
}

const contents = new WeakMap<Message, Content | PayloadProblem>();

/**
 * Puts a push into what the service worker reads and the push service goes by. Pure, apart from a
 * cache by the identity of the message. `now` shortens the time to live by the push's age.
 */
export function buildWebPush(push: Push, now: Date): WebPushBuild {
  const content = contentOf(push.message);
  if (content.kind === 'problem') return content;
  const { form, values } = fillable(content, push);
  const plaintext = Buffer.from(fillJsonForm(form, values));
  if (plaintext.length > WEB_PUSH_PAYLOAD_BYTES) {
    const detail = `The payload has ${plaintext.length} bytes; Web Push takes ${WEB_PUSH_PAYLOAD_BYTES}.`;
    return payloadProblem('payload_too_large', detail);
  }
  const leftSeconds = Math.floor((push.expiresAt.getTime() - now.getTime()) / 1000);
  const ttlSeconds = Math.min(Math.max(leftSeconds, 0), MAX_TTL_SECONDS);
  return { kind: 'plain', plaintext, ttlSeconds, urgency: content.urgency, topic: topicOf(push) };
}

/** The size of the plaintext that `buildWebPush` makes; 0 for a message that it refuses as such. */
export function measureWebPush(push: Push): number {
  const content = contentOf(push.message);
  if (content.kind === 'problem') return 0;
  const { form, values } = fillable(content, push);
  return jsonFormBytes(form, values);
}

/**
 * What a later message of the same topic replaces while it waits for its browser: the collapse key,
 * or the push itself, so that a repeat replaces what it repeats. Always 32 characters, because
 * Apple takes nothing that base64url cannot decode.
 */
function topicOf(push: Push): string {
  return hash('sha256', collapseKeyOf(push) ?? push.id, 'base64url').slice(0, 32);
}

function fillable(content: Content, push: Push): { form: JsonForm; values: BlankValues } {
  const tag = collapseKeyOf(push) ?? push.id;
  if (push.rcpt === null) return { form: content.untagged, values: { tag } };
  return { form: content.tagged, values: { tag, rcpt: push.rcpt } };
}

function contentOf(message: Message): Content | PayloadProblem {
  const cached = contents.get(message);
  if (cached !== undefined) return cached;
  const content = buildContent(message);
  contents.set(message, content);
  return content;
}

function buildContent(message: Message): Content | PayloadProblem {
  const override = message.overrides.webpush ?? {};
  const problem = overrideProblem(override);
  if (problem !== null) return problem;
  const { headers, ...fields } = override;
  const shared = mergeJson(shownFields(message), fields);
  const { notificationId: id, challenge } = message;
  const homing = { id, ...(challenge === null ? {} : { challenge }) };
  const tag = blank('tag');
  return {
    kind: 'content',
    urgency: overriddenUrgency(headers) ?? urgencyOf(message),
    untagged: compileJsonForm({ ...shared, tag, homing }),
    tagged: compileJsonForm({ ...shared, tag, homing: { ...homing, rcpt: blank('rcpt') } }),
  };
}

/** A silent push may wait until its device is charged and on a network that costs nothing. */
function urgencyOf({ priority, silent }: Message): Urgency {
  if (priority === 'high') return 'high';
  return silent ? 'very-low' : 'normal';
}

function shownFields(message: Message): JsonObject {
  const { title, body, image, url, actions, badge, data, silent } = message;
  return {
    ...(title === null || silent ? {} : { title }),
    ...(body === null || silent ? {} : { body }),
    ...(image === null ? {} : { image }),
    ...(url === null ? {} : { url }),
    ...(actions.length === 0 ? {} : { actions }),
    ...(badge === null ? {} : { badge }),
    ...(Object.keys(data).length === 0 ? {} : { data }),
  };
}

function overrideProblem(override: JsonObject): PayloadProblem | null {
  const { headers, ...fields } = override;
  const field = Object.keys(fields).find((name) => !OVERRIDES.has(name));
  if (field !== undefined) {
    return payloadProblem('invalid_override', `overrides.webpush.${field} cannot be overridden.`);
  }
  if (fields['data'] !== undefined && !isJsonObject(fields['data'])) {
    return payloadProblem('invalid_override', 'overrides.webpush.data must be an object.');
  }
  return headers === undefined ? null : headersProblem(headers);
}

function headersProblem(headers: unknown): PayloadProblem | null {
  if (!isJsonObject(headers)) {
    return payloadProblem('invalid_override', 'overrides.webpush.headers must be an object.');
  }
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() !== 'urgency') {
      const detail = `overrides.webpush.headers.${name} cannot be overridden.`;
      return payloadProblem('invalid_override', detail);
    }
    if (typeof value !== 'string' || !URGENCY.test(value)) {
      const detail = `overrides.webpush.headers.${name} must be very-low, low, normal or high.`;
      return payloadProblem('invalid_override', detail);
    }
  }
  return null;
}

/** Of headers that were checked. */
function overriddenUrgency(headers: unknown): Urgency | null {
  const [urgency] = isJsonObject(headers) ? Object.values(headers) : [];
  if (urgency === undefined) return null;
  assert(typeof urgency === 'string' && URGENCY.test(urgency));
  return urgency as Urgency;
}
