import { isRecord } from '../variant.ts';

type Json = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

/** What one recipient of a request gets. */
export interface ExpoMessage {
  readonly token: string;
  /** As it came, except that `to` names this recipient alone. */
  readonly fields: Json;
}

const MAX_CONTENT_BYTES = 4096;
const MAX_TTL_SECONDS = 2_419_200;
const TOKENS = [
  /^Expo(?:nent)?PushToken\[[^\s[\]]+\]$/,
  /^[a-z\d]{8}-[a-z\d]{4}-[a-z\d]{4}-[a-z\d]{4}-[a-z\d]{12}$/i,
];

const isText: Check = (value) => typeof value === 'string';
const isFlag: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) >= 0;

/** The fields of a message beside `to`; every other one is refused. */
const FIELDS: Readonly<Record<string, Check>> = {
  title: isText,
  subtitle: isText,
  body: isText,
  data: isRecord,
  sound: isSound,
  ttl: isCount,
  expiration: isCount,
  priority: oneOf('default', 'normal', 'high'),
  badge: isCount,
  channelId: isText,
  categoryId: isText,
  mutableContent: isFlag,
  interruptionLevel: oneOf('active', 'critical', 'passive', 'time-sensitive'),
  collapseId: isText,
  tag: isText,
  icon: isText,
  richContent: (value) => isRecord(value) && (value.image === undefined || isText(value.image)),
  _contentAvailable: isFlag,
};

/** The first thing that is wrong with a message, in words; null when nothing is. */
export function findMessageProblem(message: unknown): string | null {
  if (!isRecord(message)) return '"value" must be an object.';
  const { to, ...fields } = message;
  const recipients: readonly unknown[] = Array.isArray(to) ? to : [to];
  if (recipients.length === 0 || !recipients.every(isText)) {
    return '"to" must be a push token, or a list of them.';
  }
  for (const [name, value] of Object.entries(fields)) {
    const check = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (check === undefined) return `"${name}" is not allowed.`;
    if (!check(value)) return `"${name}" is not valid.`;
  }
  return null;
}

/** Every recipient of some messages in order, each with what it gets; what is none is left out. */
export function recipientsOf(messages: readonly unknown[]): readonly ExpoMessage[] {
  return messages.filter(isRecord).flatMap((message) => {
    const { to } = message;
    const tokens: readonly unknown[] = Array.isArray(to) ? to : [to];
    return tokens
      .filter((token) => typeof token === 'string')
      .map((token) => ({ token, fields: { ...message, to: token } }));
  });
}

/** Whether a text can be a push token at all. */
export function isPushToken(token: string): boolean {
  return TOKENS.some((pattern) => pattern.test(token));
}

/** What counts is not documented; here it is what people and apps get to see. */
export function isTooBig({ fields }: ExpoMessage): boolean {
  const { title, subtitle, body, data } = fields;
  return Buffer.byteLength(JSON.stringify({ title, subtitle, body, data })) > MAX_CONTENT_BYTES;
}

/** The seconds for which a message is kept: `ttl` wins over `expiration`. */
export function lifetimeSeconds({ fields }: ExpoMessage, nowMs: number): number {
  const { ttl, expiration } = fields;
  if (typeof ttl === 'number') return Math.min(ttl, MAX_TTL_SECONDS);
  if (typeof expiration === 'number') return Math.max(expiration - nowMs / 1000, 0);
  return MAX_TTL_SECONDS;
}

function oneOf(...values: readonly string[]): Check {
  return (value) => typeof value === 'string' && values.includes(value);
}

function isSound(value: unknown): boolean {
  if (value === null || typeof value === 'string') return true;
  if (!isRecord(value)) return false;
  const { critical, name, volume, ...others } = value;
  const isNamed = name === undefined || name === null || isText(name);
  const isLoud = volume === undefined || (typeof volume === 'number' && volume >= 0 && volume <= 1);
  return (
    isNamed && isLoud && (critical === undefined || isFlag(critical)) && !Object.keys(others).length
  );
}
