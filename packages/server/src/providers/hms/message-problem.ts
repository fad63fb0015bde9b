import type { Message } from '../../domain/message.ts';
import { isJsonObject, valueAt } from '../json-object.ts';
import { payloadProblem } from '../payload-problem.ts';
import type { PayloadProblem } from '../payload-problem.ts';

/** Fields of the message for Android and EMUI, and of that for HarmonyOS NEXT. */
export const OVERRIDABLE = ['notification', 'android', 'payload', 'pushOptions'] as const;

/** Below those fields, what carries the caller's data and Homing's own promises. */
const PROTECTED_PATHS = [
  ['android', 'data'],
  ['android', 'ttl'],
  ['android', 'notification', 'tag'],
  ['payload', 'extraData'],
  ['payload', 'notification', 'clickAction', 'data'],
  ['payload', 'notification', 'notifyId'],
  ['pushOptions', 'ttl'],
] as const;

/** Finds what would undo a promise or is no message; null when there is nothing. */
export function messageProblem({ data, overrides }: Message): PayloadProblem | null {
  const reserved = Object.keys(data).find((key) => key.startsWith('homing_'));
  if (reserved !== undefined) {
    return payloadProblem('reserved_data_key', `The data key "${reserved}" is reserved on HMS.`);
  }
  const override = overrides.hms ?? {};
  for (const [field, value] of Object.entries(override)) {
    if (!OVERRIDABLE.some((name) => name === field)) {
      return payloadProblem('invalid_override', `overrides.hms.${field} cannot be overridden.`);
    }
    if (!isJsonObject(value)) {
      return payloadProblem('invalid_override', `overrides.hms.${field} must be an object.`);
    }
  }
  const guarded = PROTECTED_PATHS.find((path) => valueAt(override, path) !== undefined);
  if (guarded === undefined) return null;
  const detail = `overrides.hms.${guarded.join('.')} cannot be overridden.`;
  return payloadProblem('invalid_override', detail);
}
