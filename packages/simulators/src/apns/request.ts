import { randomUUID } from 'node:crypto';
import type { Exchange, ReceivedBody } from '../exchange.ts';
import { isRecord } from '../variant.ts';
import type { ApnsReason } from './answers.ts';
import { authenticate } from './authentication.ts';
import type { ApnsAuthority } from './authentication.ts';
import type { ConnectionHistory } from './connection-history.ts';
import { TOPIC_SUFFIXES } from './topics.ts';

/** A request to APNs as it came, read but not judged. */
export interface ApnsRequest {
  readonly method: string;
  readonly path: string;
  /** Null when the path is not that of a device. */
  readonly token: string | null;
  /** What answers echo: the client's id in lower case, or one made up for it. */
  readonly apnsId: string;
  readonly givenApnsId: string | null;
  readonly topic: string | null;
  readonly pushType: string | null;
  readonly priority: string | null;
  readonly expiration: string | null;
  readonly collapseId: string | null;
  readonly authorization: string | undefined;
  readonly repeatedHeaders: readonly string[];
  /** Null when the body is not a JSON object. */
  readonly payload: Readonly<Record<string, unknown>> | null;
  readonly payloadBytes: number;
  readonly history: ConnectionHistory;
}

type Check = (request: ApnsRequest) => ApnsReason | null;

const DEVICE_PATH = '/3/device/';
const DEVICE_TOKEN = /^(?:[0-9a-f]{2}){16,200}$/;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const WHOLE_NUMBER = /^\d{1,15}$/;
const PRIORITIES = new Set(['1', '5', '10']);
const MAX_COLLAPSE_ID_BYTES = 64;
const MAX_PAYLOAD_BYTES = 4096;
const MAX_VOIP_PAYLOAD_BYTES = 5120;

// In the order of pushy's mock server; Apple's own is not known.
const HEADER_CHECKS: readonly Check[] = [
  ({ repeatedHeaders }) => (repeatedHeaders.length > 0 ? 'DuplicateHeaders' : null),
  ({ givenApnsId }) => (givenApnsId === null || UUID.test(givenApnsId) ? null : 'BadMessageId'),
  ({ method }) => (method === 'POST' ? null : 'MethodNotAllowed'),
  ({ topic }) => (topic === null ? 'MissingTopic' : null),
  ({ collapseId }) =>
    Buffer.byteLength(collapseId ?? '') > MAX_COLLAPSE_ID_BYTES ? 'BadCollapseId' : null,
  checkPriority,
  ({ pushType }) => (pushType === null || TOPIC_SUFFIXES.has(pushType) ? null : 'InvalidPushType'),
  checkPath,
  ({ expiration }) =>
    expiration === null || WHOLE_NUMBER.test(expiration) ? null : 'BadExpirationDate',
];

const PAYLOAD_CHECKS: readonly Check[] = [
  ({ payloadBytes }) => (payloadBytes === 0 ? 'PayloadEmpty' : null),
  ({ payloadBytes, pushType }) =>
    payloadBytes > payloadLimitBytes(pushType) ? 'PayloadTooLarge' : null,
  // Apple documents no reason for a payload that is no JSON object; this one was seen.
  ({ payload }) => (payload === null ? 'PayloadEmpty' : null),
];

/** How much of a body can matter: the largest payload of any push type. */
export const APNS_BODY_LIMIT_BYTES = MAX_VOIP_PAYLOAD_BYTES;

/** Reads a request. A client certificate with a single topic stands in for a missing topic. */
export function readApnsRequest(
  { method, path, headers, repeatedHeaders }: Exchange,
  body: ReceivedBody,
  history: ConnectionHistory,
): ApnsRequest {
  const givenApnsId = only(headers['apns-id']);
  const isUsableId = givenApnsId !== null && UUID.test(givenApnsId);
  return {
    method,
    path,
    token: path.startsWith(DEVICE_PATH) ? path.slice(DEVICE_PATH.length).toLowerCase() : null,
    apnsId: isUsableId ? givenApnsId.toLowerCase() : randomUUID(),
    givenApnsId,
    topic: only(headers['apns-topic']) ?? onlyTopicOf(history),
    pushType: only(headers['apns-push-type']),
    priority: only(headers['apns-priority']),
    expiration: only(headers['apns-expiration']),
    collapseId: only(headers['apns-collapse-id']),
    authorization: headers.authorization,
    repeatedHeaders,
    payload: parsePayload(body),
    payloadBytes: body.length,
    history,
  };
}

/** The first thing that is wrong with a request; null when nothing is. */
export function findProblem(
  request: ApnsRequest,
  authority: ApnsAuthority,
  { authenticatesFirst, nowMs }: { readonly authenticatesFirst: boolean; readonly nowMs: number },
): ApnsReason | null {
  const checkCredentials: Check = (request) =>
    authenticate({ ...request, topic: request.topic ?? '', nowMs }, authority);
  const checks = authenticatesFirst
    ? [checkCredentials, ...HEADER_CHECKS, ...PAYLOAD_CHECKS]
    : [...HEADER_CHECKS, checkCredentials, ...PAYLOAD_CHECKS];
  for (const check of checks) {
    const problem = check(request);
    if (problem !== null) return problem;
  }
  return null;
}

/** Absent means 10, which a background push must not have. */
function checkPriority({ priority, pushType }: ApnsRequest): ApnsReason | null {
  if (priority !== null && !PRIORITIES.has(priority)) return 'BadPriority';
  return pushType === 'background' && (priority ?? '10') === '10' ? 'BadPriority' : null;
}

function checkPath({ token }: ApnsRequest): ApnsReason | null {
  if (token === null) return 'BadPath';
  if (token === '') return 'MissingDeviceToken';
  return DEVICE_TOKEN.test(token) ? null : 'BadDeviceToken';
}

function payloadLimitBytes(pushType: string | null): number {
  return pushType === 'voip' ? MAX_VOIP_PAYLOAD_BYTES : MAX_PAYLOAD_BYTES;
}

function parsePayload({ bytes, length }: ReceivedBody): ApnsRequest['payload'] {
  if (length > bytes.length) return null;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}

function onlyTopicOf({ certificate }: ConnectionHistory): string | null {
  const topics = [...(certificate?.topics ?? [])];
  return topics.length === 1 ? (topics[0] ?? null) : null;
}

/** A header's value. A repeated one is refused later, so any of its values will do here. */
function only(value: string | string[] | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === 'string' ? value : (value[0] ?? null);
}
