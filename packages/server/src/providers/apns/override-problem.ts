import { isJsonObject } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';

/** The headers that a caller may override. The others carry Homing's own promises. */
const HEADERS: Readonly<Record<string, RegExp>> = {
  'apns-priority': /^(10|5|1)$/,
  'apns-push-type': /^(alert|background)$/,
};

interface Rule {
  readonly is: (value: unknown) => boolean;
  readonly words: string;
}

const TEXT: Rule = { is: (value) => typeof value === 'string', words: 'a string' };
const FLAG: Rule = { is: (value) => value === 0 || value === 1, words: '0 or 1' };

/**
 * The keys of `aps` whose values Apple describes ("Generating a remote notification"). A wrong one
 * is no error to APNs: the phone leaves it, or the whole notification, out. Other keys pass.
 */
const APS: Readonly<Record<string, Rule>> = {
  alert: { is: (value) => TEXT.is(value) || isJsonObject(value), words: 'a string or an object' },
  badge: {
    is: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
    words: 'a whole number',
  },
  sound: {
    is: (value) => TEXT.is(value) || isCriticalSound(value),
    words: 'a name, or {"critical": 1, "name": …, "volume": 0 to 1}',
  },
  'thread-id': TEXT,
  category: TEXT,
  'target-content-id': TEXT,
  'filter-criteria': TEXT,
  'content-available': FLAG,
  'mutable-content': FLAG,
  'interruption-level': {
    is: (value) => ['passive', 'active', 'time-sensitive', 'critical'].includes(value as string),
    words: 'passive, active, time-sensitive or critical',
  },
  'relevance-score': { is: isShare, words: 'a number from 0 to 1' },
};

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1;
}

function isCriticalSound(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { critical = 0, name, volume = 1, ...others } = value;
  const isKnown = Object.keys(others).length === 0;
  return isKnown && FLAG.is(critical) && TEXT.is(name) && isShare(volume);
}

/** Finds what APNs or the phone would refuse, or what is not the caller's; null for nothing. */
export function overrideProblem(overrides: JsonObject): PayloadProblem | null {
  const { aps = {}, headers = {} } = overrides;
  if (!isJsonObject(aps)) {
    return payloadProblem('invalid_override', 'overrides.apns.aps must be an object.');
  }
  if (Object.hasOwn(overrides, 'homing')) {
    return payloadProblem('invalid_override', 'overrides.apns.homing is reserved.');
  }
  if (!isJsonObject(headers)) {
    return payloadProblem('invalid_override', 'overrides.apns.headers must be an object.');
  }
  return headerProblem(headers) ?? apsProblem(aps);
}

function headerProblem(headers: JsonObject): PayloadProblem | null {
  for (const [name, value] of Object.entries(headers)) {
    const allowed = Object.hasOwn(HEADERS, name) ? HEADERS[name] : undefined;
    if (typeof value === 'string' && allowed?.test(value) === true) continue;
    const detail = `overrides.apns.headers cannot set ${name} to ${JSON.stringify(value)}.`;
    return payloadProblem('invalid_override', detail);
  }
  return null;
}

function apsProblem(aps: JsonObject): PayloadProblem | null {
  for (const [name, value] of Object.entries(aps)) {
    const rule = Object.hasOwn(APS, name) ? APS[name] : undefined;
    if (rule === undefined || rule.is(value)) continue;
    return payloadProblem('invalid_override', `overrides.apns.aps.${name} must be ${rule.words}.`);
  }
  return null;
}
