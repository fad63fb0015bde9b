import type { Message } from '../../domain/message.ts';
import { isJsonObject, type JsonObject } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';

interface Rule {
  readonly allows: (value: unknown) => boolean;
  readonly expectation: string;
}

const TEXT: Rule = { allows: (value) => typeof value === 'string', expectation: 'a string' };
const OBJECT: Rule = { allows: isJsonObject, expectation: 'an object' };

/**
 * What `overrides.expo` may hold. Left out are the target and what carries Homing's own promises:
 * expiry, collapsing, and that a service extension sees the addressee tag first.
 */
const RULES: Readonly<Record<string, Rule>> = {
  title: TEXT,
  subtitle: TEXT,
  body: TEXT,
  data: OBJECT,
  sound: { allows: isSound, expectation: '"default", null, or {critical, name, volume}' },
  badge: { allows: isBadge, expectation: 'a whole number, not negative' },
  priority: oneOf('default', 'normal', 'high'),
  channelId: TEXT,
  categoryId: TEXT,
  interruptionLevel: oneOf('active', 'critical', 'passive', 'time-sensitive'),
  icon: TEXT,
  richContent: { allows: isRichContent, expectation: '{image} with a URL' },
};

/** `homing` is what our SDK reads. */
const RESERVED_DATA_KEY = 'homing';

/** Finds what Expo would refuse, or what would undo a promise; null when there is nothing. */
export function messageProblem({ data, overrides }: Message): PayloadProblem | null {
  const override = overrides.expo ?? {};
  return dataProblem(data) ?? overrideProblem(override) ?? dataProblem(override['data']);
}

function dataProblem(data: unknown): PayloadProblem | null {
  if (!isJsonObject(data) || !Object.hasOwn(data, RESERVED_DATA_KEY)) return null;
  const detail = `The data key "${RESERVED_DATA_KEY}" is reserved on Expo.`;
  return payloadProblem('reserved_data_key', detail);
}

function overrideProblem(override: JsonObject): PayloadProblem | null {
  for (const [field, value] of Object.entries(override)) {
    const rule = Object.hasOwn(RULES, field) ? RULES[field] : undefined;
    if (rule === undefined) {
      return payloadProblem('invalid_override', `overrides.expo.${field} cannot be overridden.`);
    }
    if (rule.allows(value)) continue;
    const detail = `overrides.expo.${field} must be ${rule.expectation}.`;
    return payloadProblem('invalid_override', detail);
  }
  return null;
}

function oneOf(...values: readonly string[]): Rule {
  return {
    allows: (value) => typeof value === 'string' && values.includes(value),
    expectation: `one of ${values.join(', ')}`,
  };
}

function isBadge(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isSound(value: unknown): boolean {
  if (value === null || typeof value === 'string') return true;
  if (!isJsonObject(value)) return false;
  const { critical, name, volume, ...others } = value;
  return (
    Object.keys(others).length === 0 &&
    (critical === undefined || typeof critical === 'boolean') &&
    (name === undefined || name === null || typeof name === 'string') &&
    (volume === undefined || (typeof volume === 'number' && volume >= 0 && volume <= 1))
  );
}

function isRichContent(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  const { image, ...others } = value;
  return Object.keys(others).length === 0 && typeof image === 'string';
}
