import { isRecord } from '../variant.ts';
import type { HmsCode } from './answers.ts';
import type { HmsKnobs } from './knobs.ts';

type Json = Readonly<Record<string, unknown>>;

/** The versions of the API that send: the third is for HarmonyOS NEXT. */
export type ApiVersion = 'v1' | 'v2' | 'v3';

/** One call, as far as it can be read. */
export interface HmsMessage {
  readonly version: ApiVersion;
  /** What the header `push-type` says; of the third version only. */
  readonly pushType: string | null;
  /** Undefined when the body is not JSON. */
  readonly json: unknown;
}

const MAX_BYTES = 4096;
const MAX_TOKENS = 1000;
const MAX_TTL_SECONDS = 1_296_000;
const PUSH_TYPES = new Set(['0', '1', '2', '6', '7', '10']);
const BACKGROUND = '6';

/** An object within an object; an empty one when it is absent. */
export function child(value: unknown, name: string): Json {
  const found = isRecord(value) ? value[name] : null;
  return isRecord(found) ? found : {};
}

/** The tokens that a call names; null when it names none, or something else. */
export function tokensOf({ version, json }: HmsMessage): readonly string[] | null {
  const { token } = child(json, version === 'v3' ? 'target' : 'message');
  if (!Array.isArray(token) || token.length === 0) return null;
  return token.every((each): each is string => typeof each === 'string') ? token : null;
}

/** The code with which a call is refused for what it says; null when it is in order. */
export function findMessageProblem(message: HmsMessage, knobs: HmsKnobs): HmsCode | null {
  const { version, json } = message;
  if (!isRecord(json)) return '80100001';
  const tokens = tokensOf(message);
  if (tokens === null) return '80100001';
  if (tokens.length > MAX_TOKENS) return '80300010';
  if (sizeWithoutTokens(message) > MAX_BYTES) return '80300008';
  return version === 'v3' ? harmonyProblem(message) : androidProblem(json, knobs);
}

/** In seconds. */
export function ttlOf({ version, json }: HmsMessage): number {
  if (version === 'v3') return Number(child(json, 'pushOptions')['ttl'] ?? 86_400);
  const ttl = child(child(json, 'message'), 'android')['ttl'];
  return typeof ttl === 'string' ? Number.parseInt(ttl, 10) : 86_400;
}

function sizeWithoutTokens({ version, json }: HmsMessage): number {
  const holder = version === 'v3' ? 'target' : 'message';
  const bare = { ...(json as Json), [holder]: { ...child(json, holder), token: [] } };
  return Buffer.byteLength(JSON.stringify(bare));
}

function androidProblem(json: Json, knobs: HmsKnobs): HmsCode | null {
  const message = child(json, 'message');
  const android = child(message, 'android');
  const { data } = message;
  const isShown = isRecord(message['notification']) || isRecord(android['notification']);
  if (data !== undefined && typeof data !== 'string') return '80100003';
  if (!isShown && data === undefined) return '80100003';
  const { type } = child(child(android, 'notification'), 'click_action');
  if (isShown && type !== 1 && type !== 2 && type !== 3) return '80100003';
  if (!isCollapseKey(android['collapse_key'] ?? 0)) return '80100013';
  if (!isTtl(android['ttl'] ?? '86400s')) return '80100004';
  const urgency = android['urgency'] ?? 'NORMAL';
  if (urgency !== 'HIGH' && urgency !== 'NORMAL') return '80100003';
  return urgency === 'HIGH' && !knobs.highPriorityGranted ? '80300011' : null;
}

function isTtl(value: unknown): boolean {
  const seconds = typeof value === 'string' ? /^([1-9]\d*)s$/.exec(value)?.[1] : undefined;
  return seconds !== undefined && Number(seconds) <= MAX_TTL_SECONDS;
}

function isCollapseKey(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= -1 && Number(value) <= 100;
}

function harmonyProblem({ pushType, json }: HmsMessage): HmsCode | null {
  if (pushType === null || !PUSH_TYPES.has(pushType)) return '80100001';
  const payload = child(json, 'payload');
  const ttl = child(json, 'pushOptions')['ttl'] ?? 86_400;
  if (!Number.isInteger(ttl) || Number(ttl) < 1 || Number(ttl) > MAX_TTL_SECONDS) {
    return '80100004';
  }
  if (pushType === BACKGROUND) return typeof payload['extraData'] === 'string' ? null : '80100003';
  const notification = child(payload, 'notification');
  const { category } = notification;
  const { actionType } = child(notification, 'clickAction');
  const isComplete = typeof category === 'string' && (actionType === 0 || actionType === 1);
  return isComplete ? null : '80100003';
}
