import assert from 'node:assert/strict';
import { RequestShape, type Http2Request } from '@homing/h2';
import type { Message } from '../../domain/message.ts';
import type { Push } from '../../domain/push.ts';
import { apnsCollapseId } from '../collapse-id.ts';
import { blank, compileJsonForm, fillJsonForm, jsonFormBytes } from '../json-form.ts';
import type { BlankValues, JsonForm } from '../json-form.ts';
import { isJsonObject, mergeJson } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';

/** Apple's limit for every push type that Homing sends ("Generating a remote notification"). */
export const APNS_PAYLOAD_BYTES = 4096;

/** `aps` is Apple's; `homing` is what our SDK reads. */
const RESERVED_KEYS: ReadonlySet<string> = new Set(['aps', 'homing']);

/** The headers that a caller may override. The others carry Homing's own promises. */
const HEADER_OVERRIDES: Readonly<Record<string, RegExp>> = {
  'apns-priority': /^(10|5|1)$/,
  'apns-push-type': /^(alert|background)$/,
};

export type ApnsBuild =
  | { readonly kind: 'request'; readonly request: Http2Request; readonly payloadBytes: number }
  | PayloadProblem;

/** What all pushes of a message share: built once, then filled in per push. */
interface Content {
  readonly kind: 'content';
  readonly pushType: string;
  readonly priority: string;
  /** For pushes that carry an addressee tag, and for those that do not. */
  readonly tagged: JsonForm;
  readonly untagged: JsonForm;
}

/** The header fields that differ from push to push, in the order of a request's values. */
const VARYING = ['apns-id', 'apns-expiration', 'apns-collapse-id'] as const;

/** By topic, push type and priority. An app has few of these, and a key at most a few hundred. */
const shapes = new Map<string, RequestShape>();

const contents = new WeakMap<Message, Content | PayloadProblem>();

/**
 * Puts a push into a request without its `authorization`. Pure, apart from a cache by the identity
 * of the message. Header rules: Apple, "Sending notification requests to APNs".
 */
export function buildApnsRequest(push: Push): ApnsBuild {
  const { address } = push;
  assert(address.provider === 'apns');
  const content = contentOf(push.message);
  if (content.kind === 'problem') return content;
  const { form, values } = fillable(content, push);
  const body = Buffer.from(fillJsonForm(form, values));
  if (body.length > APNS_PAYLOAD_BYTES) {
    const detail = `The payload has ${body.length} bytes; APNs takes ${APNS_PAYLOAD_BYTES}.`;
    return payloadProblem('payload_too_large', detail);
  }
  const request: Http2Request = {
    shape: shapeOf(content, address.topic),
    path: `/3/device/${encodeURIComponent(address.token.toWellFormed())}`,
    values: [push.id, String(Math.floor(push.expiresAt.getTime() / 1000)), apnsCollapseId(push)],
    body,
  };
  return { kind: 'request', request, payloadBytes: body.length };
}

/** The size of the body that `buildApnsRequest` makes; 0 for a message that it refuses as such. */
export function measureApnsPayload(push: Push): number {
  const content = contentOf(push.message);
  if (content.kind === 'problem') return 0;
  const { form, values } = fillable(content, push);
  return jsonFormBytes(form, values);
}

function shapeOf({ pushType, priority }: Content, topic: string): RequestShape {
  const key = `${pushType} ${priority} ${topic}`;
  const known = shapes.get(key);
  if (known !== undefined) return known;
  const constants = {
    'apns-topic': topic,
    'apns-push-type': pushType,
    'apns-priority': priority,
  };
  const shape = new RequestShape({ constants, varying: VARYING });
  shapes.set(key, shape);
  return shape;
}

function fillable(content: Content, push: Push): { form: JsonForm; values: BlankValues } {
  if (push.rcpt === null) return { form: content.untagged, values: {} };
  return { form: content.tagged, values: { rcpt: push.rcpt } };
}

function contentOf(message: Message): Content | PayloadProblem {
  const cached = contents.get(message);
  if (cached !== undefined) return cached;
  const content = buildContent(message);
  contents.set(message, content);
  return content;
}

function buildContent(message: Message): Content | PayloadProblem {
  const overrides = message.overrides.apns ?? {};
  const problem = dataProblem(message) ?? overrideProblem(overrides);
  if (problem !== null) return problem;

  const { headers = {}, ...bodyOverrides } = overrides;
  const headerOverrides = headers as Readonly<Record<string, string>>;
  const pushType = headerOverrides['apns-push-type'] ?? defaultPushType(message);
  const priority = headerOverrides['apns-priority'] ?? defaultPriority(message, pushType);
  if (pushType === 'background' && priority === '10') {
    const detail = 'A background push must not have priority 10 (overrides.apns.headers).';
    return payloadProblem('invalid_override', detail);
  }
  const shared = mergeJson({ ...message.data, aps: aps(message) }, bodyOverrides);
  const untagged = compileJsonForm({ ...shared, homing: homing(message) });
  const tagged = compileJsonForm({
    ...shared,
    homing: { ...homing(message), rcpt: blank('rcpt') },
  });
  return { kind: 'content', pushType, priority, tagged, untagged };
}

function defaultPushType(message: Message): string {
  return message.silent ? 'background' : 'alert';
}

/** Apple takes nothing but 5 for background pushes. */
function defaultPriority(message: Message, pushType: string): string {
  return message.priority === 'high' && pushType === 'alert' ? '10' : '5';
}

function aps(message: Message): JsonObject {
  if (message.silent) return { 'content-available': 1 };
  const { title, body, badge, sound } = message;
  const alert = { ...(title === null ? {} : { title }), ...(body === null ? {} : { body }) };
  return {
    // A mutable alert runs our service extension first, which compares the addressee tag.
    ...(title === null && body === null ? {} : { alert, 'mutable-content': 1 }),
    ...(badge === null ? {} : { badge }),
    ...(sound === null ? {} : { sound }),
  };
}

function homing({ notificationId, challenge, url, image, actions }: Message): JsonObject {
  return {
    id: notificationId,
    ...(challenge === null ? {} : { challenge }),
    ...(url === null ? {} : { url }),
    ...(image === null ? {} : { image }),
    ...(actions.length === 0 ? {} : { actions }),
  };
}

function dataProblem({ data }: Message): PayloadProblem | null {
  const reserved = Object.keys(data).find((key) => RESERVED_KEYS.has(key));
  if (reserved === undefined) return null;
  return payloadProblem('reserved_data_key', `The data key "${reserved}" is reserved on APNs.`);
}

function overrideProblem(overrides: JsonObject): PayloadProblem | null {
  const { aps, headers = {} } = overrides;
  if (aps !== undefined && !isJsonObject(aps)) {
    return payloadProblem('invalid_override', 'overrides.apns.aps must be an object.');
  }
  if (Object.hasOwn(overrides, 'homing')) {
    return payloadProblem('invalid_override', 'overrides.apns.homing is reserved.');
  }
  if (!isJsonObject(headers)) {
    return payloadProblem('invalid_override', 'overrides.apns.headers must be an object.');
  }
  for (const [name, value] of Object.entries(headers)) {
    const allowed = Object.hasOwn(HEADER_OVERRIDES, name) ? HEADER_OVERRIDES[name] : undefined;
    if (typeof value === 'string' && allowed?.test(value) === true) continue;
    const detail = `overrides.apns.headers cannot set ${name} to ${JSON.stringify(value)}.`;
    return payloadProblem('invalid_override', detail);
  }
  return null;
}
