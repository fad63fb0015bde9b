import { isJsonObject, parseJsonObject } from '../json-object.ts';
import type { JsonObject } from '../json-object.ts';

/** What Homing reads of a Google API error: the types in `error.details` are named after theirs. */
export interface FcmErrorBody {
  readonly message: string;
  /** The google.rpc code, as in `NOT_FOUND`; null when there is none. */
  readonly status: string | null;
  readonly hasDetails: boolean;
  /** `google.firebase.fcm.v1.FcmError.errorCode`. */
  readonly fcmError: string | null;
  readonly apnsError: { readonly statusCode: number | null; readonly reason: string } | null;
  /** The fields that `google.rpc.BadRequest` complains about; null without such a detail. */
  readonly violatedFields: readonly string[] | null;
  /** What `google.rpc.QuotaFailure` says, as one text. */
  readonly quota: string;
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function objects(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter((item: unknown) => isJsonObject(item)) : [];
}

function detail(details: readonly JsonObject[], type: string): JsonObject | undefined {
  return details.find((candidate) => text(candidate['@type'])?.endsWith(`/${type}`) === true);
}

/**
 * Reads the body of an error answer; null when it is not Google's JSON, as with the HTML pages that
 * front ends send. Never throws: whatever is missing or of another type is left out.
 */
export function parseFcmErrorBody(body: string): FcmErrorBody | null {
  const error = parseJsonObject(body)?.['error'];
  if (!isJsonObject(error)) return null;
  const details = objects(error['details']);
  const apnsError = detail(details, 'google.firebase.fcm.v1.ApnsError');
  const badRequest = detail(details, 'google.rpc.BadRequest');
  const quotaFailure = detail(details, 'google.rpc.QuotaFailure');
  const statusCode = apnsError?.['statusCode'];
  return {
    message: text(error['message']) ?? '',
    status: text(error['status']),
    hasDetails: details.length > 0,
    fcmError: text(detail(details, 'google.firebase.fcm.v1.FcmError')?.['errorCode']),
    apnsError:
      apnsError === undefined
        ? null
        : {
            statusCode: typeof statusCode === 'number' ? statusCode : null,
            reason: text(apnsError['reason']) ?? '',
          },
    violatedFields: badRequest
      ? objects(badRequest['fieldViolations']).map(({ field }) => text(field) ?? '')
      : null,
    quota: objects(quotaFailure?.['violations'])
      .map(({ subject, description }) => `${text(subject)} ${text(description)}`)
      .join(' '),
  };
}
