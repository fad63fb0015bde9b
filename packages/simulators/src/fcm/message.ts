import type { Answer } from '../answer.ts';
import { isRecord } from '../variant.ts';
import { fcmAnswers } from './answers.ts';
import { SEND_MESSAGE_REQUEST } from './message-schema.ts';
import { fieldOf, findViolations } from './violations.ts';
import type { Violation } from './violations.ts';

type Json = Readonly<Record<string, unknown>>;

export const TARGET_KINDS = ['fid', 'token', 'topic', 'condition'] as const;
export type TargetKind = (typeof TARGET_KINDS)[number];

/** To whom a message goes. */
export interface Addressee {
  readonly kind: TargetKind;
  readonly value: string;
}

type Check = (message: Json) => Violation | null;

const TOPIC = /^[a-zA-Z0-9\-_.~%]+$/;
const ANALYTICS_LABEL = /^[a-zA-Z0-9\-_.~%]{1,50}$/;
const COLOR = /^#[0-9a-f]{6}$/i;
const CONDITION_TOPIC = /'[^']*' +in +topics/g;
const MAX_CONDITION_TOPICS = 5;
const MAX_TTL_SECONDS = 2_419_200;
const RESERVED_KEYS = new Set(['from', 'message_type']);
const RESERVED_PREFIXES = ['google.', 'gcm.'];
const MAX_MESSAGE_BYTES = 4096;
const MAX_TOPIC_MESSAGE_BYTES = 2048;

const CHECKS: readonly Check[] = [
  checkTopic,
  checkCondition,
  (message) => checkDataKeys(message, 'message.data'),
  (message) => checkDataKeys(child(message, 'android'), 'message.android.data'),
  checkTtl,
  checkColor,
  checkLink,
  ...['android', 'apns', 'webpush', null].map(labelCheck),
];

/** The targets that a message names; anything but one is a mistake. */
export function addresseesOf(message: Json): readonly Addressee[] {
  return TARGET_KINDS.flatMap((kind) => {
    const value = fieldOf(message, kind);
    return typeof value === 'string' && value !== '' ? [{ kind, value }] : [];
  });
}

/** What is wrong with a parsed send request, in FCM's words; null when nothing is. */
export function findMessageProblem(request: unknown): Answer | null {
  const violations = findViolations(SEND_MESSAGE_REQUEST, request);
  if (violations.length > 0) return fcmAnswers.malformed(violations);
  const message = child(request, 'message');
  const [first, second] = addresseesOf(message);
  if (first === undefined) return fcmAnswers.noTarget();
  if (second !== undefined) return fcmAnswers.malformed([targetConflict(second.kind)]);
  if (isTooLarge(message, first)) return fcmAnswers.tooLarge();
  for (const check of CHECKS) {
    const violation = check(message);
    if (violation !== null) return fcmAnswers.invalidMessage(violation);
  }
  return null;
}

/** A message within a message; an empty one when it is absent. */
export function child(message: unknown, name: string): Json {
  const value = isRecord(message) ? fieldOf(message, name) : null;
  return isRecord(value) ? value : {};
}

/** The seconds of a proto3 duration such as "3.5s"; null for anything else. */
export function durationSeconds(value: unknown): number | null {
  return typeof value === 'string' && value.endsWith('s') ? Number(value.slice(0, -1)) : null;
}

function targetConflict(kind: TargetKind): Violation {
  const reason = `oneof field 'target' is already set. Cannot set '${kind}'`;
  return { field: 'message', description: `Invalid value at 'message' (oneof), ${reason}` };
}

/** The target does not count; what exactly Google counts is not documented. */
function isTooLarge(message: Json, { kind }: Addressee): boolean {
  const limit =
    kind === 'topic' || kind === 'condition' ? MAX_TOPIC_MESSAGE_BYTES : MAX_MESSAGE_BYTES;
  const content = { ...message, [kind]: undefined };
  return Buffer.byteLength(JSON.stringify(content)) > limit;
}

function checkTopic(message: Json): Violation | null {
  const topic = fieldOf(message, 'topic');
  return typeof topic !== 'string' || topic === '' || TOPIC.test(topic)
    ? null
    : { field: 'message.topic', description: 'Malformed topic name' };
}

function checkCondition(message: Json): Violation | null {
  const condition = fieldOf(message, 'condition');
  if (typeof condition !== 'string' || condition === '') return null;
  const topics = condition.match(CONDITION_TOPIC)?.length ?? 0;
  if (topics >= 1 && topics <= MAX_CONDITION_TOPICS) return null;
  return { field: 'message.condition', description: 'Invalid condition expression provided.' };
}

function checkDataKeys(holder: Json, field: string): Violation | null {
  const reserved = Object.keys(child(holder, 'data')).find(
    (key) => RESERVED_KEYS.has(key) || RESERVED_PREFIXES.some((prefix) => key.startsWith(prefix)),
  );
  return reserved === undefined
    ? null
    : { field, description: `Invalid data payload key: ${reserved}` };
}

function checkTtl(message: Json): Violation | null {
  const seconds = durationSeconds(fieldOf(child(message, 'android'), 'ttl'));
  if (seconds === null || (seconds >= 0 && seconds <= MAX_TTL_SECONDS)) return null;
  return { field: 'message.android.ttl', description: 'Invalid time-to-live duration.' };
}

function checkColor(message: Json): Violation | null {
  const color = fieldOf(child(child(message, 'android'), 'notification'), 'color');
  if (typeof color !== 'string' || color === '' || COLOR.test(color)) return null;
  return { field: 'message.android.notification.color', description: 'Invalid color.' };
}

function checkLink(message: Json): Violation | null {
  const link = fieldOf(child(child(message, 'webpush'), 'fcm_options'), 'link');
  if (typeof link !== 'string' || link.startsWith('https://')) return null;
  return { field: 'message.webpush.fcm_options.link', description: 'The link must use HTTPS.' };
}

function labelCheck(platform: string | null): Check {
  return (message) => {
    const holder = platform === null ? message : child(message, platform);
    const label = fieldOf(child(holder, 'fcm_options'), 'analytics_label');
    if (typeof label !== 'string' || label === '' || ANALYTICS_LABEL.test(label)) return null;
    const path = platform === null ? 'message' : `message.${platform}`;
    return {
      field: `${path}.fcm_options.analytics_label`,
      description: 'Invalid analytics label.',
    };
  };
}
