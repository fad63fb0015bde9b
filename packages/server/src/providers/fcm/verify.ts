import { fieldValue, RequestShape } from '@homing/h2';
import type { Http2Request, Http2Result } from '@homing/h2';
import type { Clock } from '../../domain/clock.ts';
import type { Finding, Verification } from '../../domain/verification.ts';
import { areClocksApart, clockAheadMs } from '../clock-difference.ts';
import { findingOf, SHARED_FINDINGS, verificationOf, type FindingTable } from '../finding.ts';
import type { ExchangeAnswer } from '../token-exchange.ts';
import { parseFcmErrorBody } from './error-body.ts';
import type { FcmErrorBody } from './error-body.ts';
import { classifyRefusal } from './reasons.ts';

/** What Google can find wrong with a credential, beside what every provider can. */
export const FCM_FINDINGS = {
  ...SHARED_FINDINGS,
  key_refused: {
    weight: 'wrong',
    field: 'serviceAccount.private_key',
    meaning: 'the private key is not, or no longer, a key of this service account',
    fix: 'Generate a new private key in the settings of the Firebase project.',
  },
  account_unknown: {
    weight: 'wrong',
    field: 'serviceAccount.client_email',
    meaning: 'Google knows no such service account: it was deleted, or the file was edited',
    fix: 'Generate a new private key in the settings of the Firebase project.',
  },
  token_refused: {
    weight: 'wrong',
    field: 'serviceAccount',
    meaning: 'Google gives the service account no access token',
    fix: 'See whether the service account is disabled in the Google Cloud console.',
  },
  api_disabled: {
    weight: 'wrong',
    field: null,
    meaning: 'the Firebase Cloud Messaging API (V1) is disabled in the project',
    fix: 'Enable it in the Google Cloud console of the project, and wait a few minutes.',
  },
  permission_missing: {
    weight: 'wrong',
    field: 'projectId',
    meaning: 'the service account may not send for the project',
    fix: 'Give it the role Firebase Cloud Messaging API Admin in that project.',
  },
  project_unknown: {
    weight: 'wrong',
    field: 'projectId',
    meaning: 'there is no such project',
    fix: 'Copy the project id from the settings of the Firebase project.',
  },
  sender_mismatch: {
    weight: 'wrong',
    field: 'projectId',
    meaning: 'the project is not the one that the app was built with',
    fix: 'Use a service account of the project in google-services.json.',
  },
} as const satisfies FindingTable;

type FindingCode = keyof typeof FCM_FINDINGS;

/** No registration token: FCM says so once it has taken the access token and the project. */
const NOBODYS_TOKEN = 'homing-verify';

const QUESTION = new RequestShape({ constants: { 'content-type': 'application/json' } });

/** Codes of FCM that stand for "account and project are right", beside 200. */
const TAKEN: ReadonlySet<string> = new Set(['INVALID_ARGUMENT:token', 'UNREGISTERED']);

const BY_CODE: Readonly<Record<string, FindingCode>> = {
  'NOT_FOUND(no FcmError)': 'project_unknown',
  'PERMISSION_DENIED(no FcmError)': 'permission_missing',
  SENDER_ID_MISMATCH: 'sender_mismatch',
  UNAUTHENTICATED: 'token_refused',
};

export interface FcmVerifyOptions {
  readonly projectId: string;
  readonly clock: Clock;
  /** A fresh access token: one that is kept says nothing of the key any more. */
  readonly fetchToken: () => Promise<ExchangeAnswer>;
  /** Sends one request with that token. */
  readonly ask: (accessToken: string, request: Http2Request) => Promise<Http2Result>;
}

/** Fetches an access token, and has FCM look at a message to nobody without sending it. */
export async function verifyFcm(options: FcmVerifyOptions): Promise<Verification> {
  const { projectId, clock, fetchToken, ask } = options;
  const answer = await fetchToken();
  const tokenAheadMs = clockAheadMs(answer.date ?? undefined, clock());
  if (answer.kind === 'refused') {
    return verificationOf([judgeToken(answer, tokenAheadMs)], tokenAheadMs);
  }
  const body = { validate_only: true, message: { token: NOBODYS_TOKEN } };
  const result = await ask(answer.token.value, {
    shape: QUESTION,
    path: `/v1/projects/${projectId}/messages:send`,
    values: [],
    body: Buffer.from(JSON.stringify(body)),
  });
  if (result.kind !== 'answer') {
    const why = result.kind === 'no_answer' ? result.code : result.detail;
    return verificationOf([found('unreachable', why)], tokenAheadMs);
  }
  const aheadMs = clockAheadMs(fieldValue(result.fields, 'date'), clock()) ?? tokenAheadMs;
  if (result.status === 200) return verificationOf([], aheadMs);
  const { outcome } = classifyRefusal(result, clock());
  const code = 'code' in outcome ? outcome.code : '';
  if (TAKEN.has(code)) return verificationOf([], aheadMs);
  const finding = judge(result.status, code, parseFcmErrorBody(result.body));
  return verificationOf([finding], aheadMs);
}

/** `error_description` is the only place where Google says which part of an assertion it means. */
function judgeToken(
  { outcome, description }: Extract<ExchangeAnswer, { readonly kind: 'refused' }>,
  aheadMs: number | null,
): Finding {
  const said = description ?? ('code' in outcome ? outcome.code : '');
  if (outcome.kind === 'transient') {
    return found(outcome.status === null ? 'unreachable' : 'provider_busy', said);
  }
  if (/timeframe|short-lived/i.test(said) || areClocksApart(aheadMs)) {
    return found('clock_wrong', said);
  }
  if (/account not found/i.test(said)) return found('account_unknown', said);
  return found(/signature/i.test(said) ? 'key_refused' : 'token_refused', said);
}

function judge(status: number, code: string, error: FcmErrorBody | null): Finding {
  const message = error?.message || code;
  const isDisabled = /has not been used in project|it is disabled/i.test(message);
  if (status === 403 && isDisabled) return found('api_disabled', message);
  const known = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  if (known !== undefined) return found(known, message);
  return found(status === 429 || status >= 500 ? 'provider_busy' : 'unexpected_answer', message);
}

function found(code: FindingCode, answer: string): Finding {
  return findingOf(code, FCM_FINDINGS[code], { answer });
}
