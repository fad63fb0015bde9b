import type { Message } from '../../domain/message.ts';
import { isJsonObject, valueAt } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';

/** What `overrides.fcm` may hold: the fields of FCM's Message except its target and its name. */
const MESSAGE_FIELDS: ReadonlySet<string> = new Set([
  'data',
  'notification',
  'android',
  'apns',
  'webpush',
  'fcm_options',
]);

/** Below those fields, what carries Homing's own promises: expiry and collapsing. */
const PROTECTED_PATHS = [
  ['android', 'ttl'],
  ['android', 'notification', 'tag'],
  ['apns', 'headers', 'apns-expiration'],
  ['apns', 'headers', 'apns-collapse-id'],
] as const;

/** Firebase's reserved words for data keys, and our own prefix. */
const RESERVED_DATA_KEY = /^(from$|message_type$|google\.|gcm\.|homing_)/;

/** Finds what FCM would refuse, or what would undo a promise; null when there is nothing. */
export function messageProblem({ data, overrides }: Message): PayloadProblem | null {
  const override = overrides.fcm ?? {};
  return dataProblem(data) ?? overrideProblem(override);
}

function dataProblem(data: JsonObject): PayloadProblem | null {
  const reserved = Object.keys(data).find((key) => RESERVED_DATA_KEY.test(key));
  if (reserved === undefined) return null;
  return payloadProblem('reserved_data_key', `The data key "${reserved}" is reserved on FCM.`);
}

function overrideProblem(override: JsonObject): PayloadProblem | null {
  for (const [field, value] of Object.entries(override)) {
    if (!MESSAGE_FIELDS.has(field)) {
      return payloadProblem('invalid_override', `overrides.fcm.${field} cannot be overridden.`);
    }
    if (!isJsonObject(value)) {
      return payloadProblem('invalid_override', `overrides.fcm.${field} must be an object.`);
    }
  }
  const guarded = PROTECTED_PATHS.find((path) => valueAt(override, path) !== undefined);
  if (guarded !== undefined) {
    const detail = `overrides.fcm.${guarded.join('.')} cannot be overridden.`;
    return payloadProblem('invalid_override', detail);
  }
  return overriddenDataProblem(override['data']);
}

function overriddenDataProblem(data: unknown): PayloadProblem | null {
  if (!isJsonObject(data)) return null;
  const key = Object.keys(data).find((name) => typeof data[name] !== 'string');
  if (key === undefined) return dataProblem(data);
  return payloadProblem('invalid_override', `overrides.fcm.data.${key} must be a string.`);
}
