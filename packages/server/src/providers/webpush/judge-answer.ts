import { fieldValue, type Http2Answer } from '@homing/h2';
import type { Outcome } from '../../domain/outcome.ts';
import type { PushService } from '../../domain/push-service.ts';
import { parseJsonObject } from '../json-object.ts';
import { outcomeOfCutOff } from '../no-answer.ts';
import { findReason, toOutcome, type ReasonTable } from '../reason.ts';
import { parseRetryAfterMs } from '../retry-after.ts';
import { APPLE_REASONS, appleCode, appleStatus } from './apple-reasons.ts';
import { GOOGLE_REASONS, googleCode } from './google-reasons.ts';
import { MOZILLA_REASONS, mozillaCode } from './mozilla-reasons.ts';
import { REASONS } from './reasons.ts';
import { CHANNEL_THROTTLED_MS, isOfWns, WNS_REASONS, wnsCode } from './wns-reasons.ts';

/** What is looked at of an answer. */
export type WebPushAnswer = Pick<Http2Answer, 'status' | 'fields' | 'body' | 'isWhole'>;

/** RFC 8030 section 5 knows 201, and 202 with receipts; the others are seen. */
const TAKEN: ReadonlySet<number> = new Set([200, 201, 202, 204]);

/** Longer ones are no ids. */
const MAX_ID_CHARACTERS = 512;

/** Each service's own rows, before those that are common to all. */
const TABLES: Readonly<Record<PushService, ReasonTable>> = {
  google: { ...REASONS, ...GOOGLE_REASONS },
  mozilla: { ...REASONS, ...MOZILLA_REASONS },
  apple: { ...REASONS, ...APPLE_REASONS },
  wns: { ...REASONS, ...WNS_REASONS },
};

/** Where the row of an answer stands. */
interface Place {
  readonly table: ReasonTable;
  readonly status: number;
  /** Null where the service says nothing beyond the status. */
  readonly code: string | null;
}

/**
 * What an answer means. A push service of the operator's own is recognised by the form of its
 * answers: most of them speak like Mozilla's. `pushId` names what was taken where the service gives
 * it no name.
 */
export function judgeAnswer(
  answer: WebPushAnswer,
  { service, pushId, now }: { service: PushService | null; pushId: string; now: Date },
): Outcome {
  const { status, fields } = answer;
  const spoken = service ?? speakerOf(answer);
  const { table, code, ...place } = placeOf(answer, spoken);
  if (TAKEN.has(status) && code === null) {
    return { kind: 'accepted', providerId: messageIdOf(answer) ?? pushId };
  }
  const cutOff = status < 300 ? null : outcomeOfCutOff(answer);
  if (cutOff !== null) return cutOff;
  const reason = findReason(table, place.status, code ?? String(status));
  const told = parseRetryAfterMs(fieldValue(fields, 'retry-after'), now);
  const isThrottledChannel = status < 300 && reason.kind === 'throttled';
  const retryAfterMs = isThrottledChannel ? Math.max(told ?? 0, CHANNEL_THROTTLED_MS) : told;
  const detail = reason.meaning;
  return toOutcome(reason, {
    status,
    code: code ?? String(status),
    detail,
    retryAfterMs,
    since: null,
  });
}

/** Null for whom we do not know. */
function speakerOf({ fields, body }: WebPushAnswer): PushService | null {
  if (isOfWns(fields)) return 'wns';
  const json = parseJsonObject(body);
  if (json !== null && mozillaCode(json) !== null) return 'mozilla';
  if (json !== null && appleCode(json) !== null) return 'apple';
  return googleCode(body) === null ? null : 'google';
}

function placeOf({ status, fields, body }: WebPushAnswer, service: PushService | null): Place {
  if (service === null) return { table: REASONS, status, code: null };
  const table = TABLES[service];
  switch (service) {
    case 'google':
      return { table, status, code: status < 300 ? null : googleCode(body) };
    case 'mozilla': {
      const json = status < 300 ? null : parseJsonObject(body);
      return { table, status, code: json === null ? null : mozillaCode(json) };
    }
    case 'apple': {
      const json = status < 300 ? null : parseJsonObject(body);
      const code = json === null ? null : appleCode(json);
      return { table, status: code === null ? status : appleStatus(status, code), code };
    }
    case 'wns': {
      const code = wnsCode(status, fields);
      return { table, status: status < 300 ? 201 : status, code };
    }
  }
}

/** How the service names the message: Apple and Microsoft by an id, the others by its resource. */
function messageIdOf({ fields }: WebPushAnswer): string | null {
  const named = ['apns-id', 'x-wns-msg-id', 'location'].map((name) => fieldValue(fields, name));
  const id = named.find((value) => value !== undefined && value !== '') ?? null;
  return id !== null && id.length <= MAX_ID_CHARACTERS ? id : null;
}
