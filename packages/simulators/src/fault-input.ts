import type { AnswerFault, Fault, FaultKind, Match } from './fault.ts';
import type { ScheduledFault } from './faults.ts';
import { invalid, isRecord, readVariant } from './variant.ts';
import type { FieldRule, Parsed, VariantShapes } from './variant.ts';

type AnswerFields = Readonly<Record<Exclude<keyof AnswerFault, 'kind'>, FieldRule>>;

const ANSWER = {
  status: { type: 'integer' },
  reason: { type: 'string' },
  retryAfterSeconds: { type: 'integer', optional: true },
} as const satisfies AnswerFields;

const SHAPES = {
  answer: ANSWER,
  accept_then_answer: ANSWER,
  slow: { delayMs: { type: 'integer' } },
  reset: {},
  silence: {},
  refused_stream: {},
  accept_then_reset: {},
  goaway: {
    reason: { type: 'string' },
    lastStream: { type: 'choice', choices: ['this', 'before_this'] },
  },
  stream_limit: { maxConcurrentStreams: { type: 'integer' } },
} as const satisfies VariantShapes<FaultKind>;

// What node:http2 can send as a final status.
const MIN_STATUS = 200;
const MAX_STATUS = 599;

/** Reads `times`, `every`, `match` and `fault` of a fault that came as JSON. */
export function readScheduledFault(
  input: Readonly<Record<string, unknown>>,
): Parsed<ScheduledFault> {
  const { times = 1, every = 1 } = input;
  if (!isCount(times)) return invalid('times', 'must be a whole number of at least 1');
  if (!isCount(every)) return invalid('every', 'must be a whole number of at least 1');
  const match = readMatch(input.match ?? {});
  if (!match.ok) return match;
  const fault = readVariant<Fault>(input.fault, SHAPES, 'fault');
  if (!fault.ok) return fault;
  const { value } = fault;
  if ('status' in value && (value.status < MIN_STATUS || value.status > MAX_STATUS)) {
    return invalid('fault.status', `must be from ${MIN_STATUS} to ${MAX_STATUS}`);
  }
  return { ok: true, value: { times, every, match: match.value, fault: value } };
}

function isCount(input: unknown): input is number {
  return Number.isSafeInteger(input) && Number(input) >= 1;
}

function readMatch(input: unknown): Parsed<Match> {
  if (!isRecord(input)) return invalid('match', 'must be an object');
  for (const [name, value] of Object.entries(input)) {
    if (name !== 'token' && name !== 'path') return invalid(`match.${name}`, 'is not a field');
    if (typeof value !== 'string') return invalid(`match.${name}`, 'must be a string');
  }
  return { ok: true, value: input };
}
