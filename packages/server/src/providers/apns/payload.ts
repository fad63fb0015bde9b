import assert from 'node:assert/strict';
import { RequestShape, type Http2Request } from '@homing/h2';
import type { Message } from '../../domain/message.ts';
import { purposeTopic, type Purpose } from '../../domain/purpose.ts';
import type { Push } from '../../domain/push.ts';
import { apnsCollapseId } from '../collapse-id.ts';
import { blank, compileJsonForm, fillJsonForm, jsonFormBytes } from '../json-form.ts';
import type { BlankValues, JsonForm } from '../json-form.ts';
import { mergeJson } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';
import { actionsCategory } from '../actions-category.ts';
import { overrideProblem } from './override-problem.ts';

/** Apple's limit for all push types but calls ("Generating a remote notification"). */
export const APNS_PAYLOAD_BYTES = 4096;
const VOIP_PAYLOAD_BYTES = 5120;

/** Apple takes more for calls. */
export function apnsPayloadLimit({ purpose }: Message): number {
  return purpose?.name === 'voip' ? VOIP_PAYLOAD_BYTES : APNS_PAYLOAD_BYTES;
}

/** `aps` is Apple's; `homing` is what our SDK reads. */
const RESERVED_KEYS: ReadonlySet<string> = new Set(['aps', 'homing']);

export type ApnsBuild =
  | { readonly kind: 'request'; readonly request: Http2Request; readonly payloadBytes: number }
  | PayloadProblem;

/** What all pushes of a message share: built once, then filled in per push. */
interface Content {
  readonly kind: 'content';
  readonly pushType: string;
  readonly priority: string;
  readonly purpose: Purpose | null;
  readonly maxBytes: number;
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
  if (body.length > content.maxBytes) {
    const detail = `The payload has ${body.length} bytes; APNs takes ${content.maxBytes}.`;
    return payloadProblem('payload_too_large', detail);
  }
  const request: Http2Request = {
    shape: shapeOf(content, address.topic),
    path: `/3/device/${encodeURIComponent(address.token.toWellFormed())}`,
    values: [push.id, expirationOf(content, push), apnsCollapseId(push)],
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

/** A call is offered once: one that rings when the phone is switched on again is long over. */
function expirationOf({ purpose }: Content, { expiresAt }: Push): string {
  return purpose === 'voip' ? '0' : String(Math.floor(expiresAt.getTime() / 1000));
}

function shapeOf({ pushType, priority, purpose }: Content, bundleId: string): RequestShape {
  const key = `${pushType} ${priority} ${purpose ?? ''} ${bundleId}`;
  const known = shapes.get(key);
  if (known !== undefined) return known;
  const constants = {
    'apns-topic': purpose === null ? bundleId : purposeTopic(bundleId, purpose),
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

  const purpose = message.purpose?.name ?? null;
  const { headers = {}, ...bodyOverrides } = overrides;
  const headerOverrides = headers as Readonly<Record<string, string>>;
  if (purpose !== null && headerOverrides['apns-push-type'] !== undefined) {
    const detail = 'The push type follows from options.purpose (overrides.apns.headers).';
    return payloadProblem('invalid_override', detail);
  }
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
  const maxBytes = apnsPayloadLimit(message);
  return { kind: 'content', pushType, priority, purpose, maxBytes, tagged, untagged };
}

const PUSH_TYPES: Readonly<Record<Purpose, string>> = {
  voip: 'voip',
  live_activity: 'liveactivity',
  push_to_start: 'liveactivity',
};

function defaultPushType({ purpose, silent }: Message): string {
  if (purpose !== undefined) return PUSH_TYPES[purpose.name];
  return silent ? 'background' : 'alert';
}

/** Apple takes nothing but 5 for background pushes, and a call cannot wait. */
function defaultPriority(message: Message, pushType: string): string {
  if (pushType === 'voip') return '10';
  return message.priority === 'high' && pushType !== 'background' ? '10' : '5';
}

function aps(message: Message): JsonObject {
  const { title, body, badge, sound, purpose, actions } = message;
  const alert = { ...(title === null ? {} : { title }), ...(body === null ? {} : { body }) };
  if (purpose !== undefined && purpose.name !== 'voip') {
    return {
      timestamp: Math.floor(purpose.at.getTime() / 1000),
      // An update is shown on the screen; it alerts only if it says something.
      ...(body === null ? {} : { alert }),
      ...(body === null || sound === null ? {} : { sound }),
    };
  }
  // The app draws a call itself.
  if (purpose !== undefined) return body === null ? {} : { alert };
  if (message.silent) return { 'content-available': 1 };
  return {
    // A mutable alert runs our service extension first, which compares the addressee tag.
    ...(title === null && body === null ? {} : { alert, 'mutable-content': 1 }),
    ...(badge === null ? {} : { badge }),
    ...(sound === null ? {} : { sound }),
    ...(actions.length === 0 ? {} : { category: actionsCategory(actions) }),
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
