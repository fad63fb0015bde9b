import type { HmsKind } from '../../domain/address.ts';
import type { Clock } from '../../domain/clock.ts';
import type { Outcome } from '../../domain/outcome.ts';
import type { Finding, Verification } from '../../domain/verification.ts';
import { areClocksApart, clockAheadMs } from '../clock-difference.ts';
import { findingOf, SHARED_FINDINGS, verificationOf, type FindingTable } from '../finding.ts';
import type { ExchangeAnswer } from '../token-exchange.ts';
import type { HmsResult } from './connection.ts';
import { readVerdict } from './reasons.ts';
import type { HmsSettings } from './settings.ts';

/** What Huawei can find wrong with a credential, beside what every provider can. */
export const HMS_FINDINGS = {
  ...SHARED_FINDINGS,
  client_refused: {
    weight: 'wrong',
    field: 'clientSecret',
    meaning: 'Huawei knows no OAuth client with this id and this secret',
    fix: 'Copy both from AppGallery Connect once more.',
  },
  token_refused: {
    weight: 'wrong',
    field: 'clientId',
    meaning: 'Push Kit does not take the access token that Huawei gives to the OAuth client',
    fix: 'Take the OAuth client of an app for which Push Kit is enabled.',
  },
  key_refused: {
    weight: 'wrong',
    field: 'serviceAccount',
    meaning: 'key id, account id and private key do not belong together, or the key was revoked',
    fix: 'Make a new key for the service account, and give its file as it is.',
  },
  app_refused: {
    weight: 'wrong',
    field: 'appId',
    meaning: 'the OAuth client may not push for this app, or Push Kit is not enabled for it',
    fix: 'Enable Push Kit for the app, and take app id and client of the same app.',
  },
  project_refused: {
    weight: 'wrong',
    field: 'projectId',
    meaning: 'the OAuth client may not push for this project, or Push Kit is not enabled in it',
    fix: 'Enable Push Kit, and copy the project id from AppGallery Connect.',
  },
  account_refused: {
    weight: 'wrong',
    field: 'serviceAccount.project_id',
    meaning: 'the service account may not push for its project, or Push Kit is not enabled in it',
    fix: 'Enable Push Kit in the project, and give the account the permission to push.',
  },
  high_priority_refused: {
    weight: 'wrong',
    field: 'highPriority',
    meaning: 'Huawei has not granted the app messages of high priority',
    fix: 'Take highPriority out of the credential, or apply to Huawei for the permission.',
  },
  review_refused: {
    weight: 'wrong',
    field: null,
    meaning: 'the signature for the review of messages is missing or wrong',
    fix: "Settle the review of the app's messages in AppGallery Connect.",
  },
} as const satisfies FindingTable;

type FindingCode = keyof typeof HMS_FINDINGS;

/** Too short for a token of Huawei's: Push Kit says so once it has taken everything else. */
const NOBODYS_TOKEN = 'homing-verify';

/** What stands for "credential, app and project are right", beside a success. */
const ALL_TOKENS_INVALID = '80300007';

const TOKEN_INVALID = '80200001';
const SIGNATURE_EXPIRED = '80200005';
const MAY_NOT_PUSH = '80300002';

const BY_CODE: Readonly<Record<string, FindingCode>> = {
  '80100018': 'review_refused',
  '80300011': 'high_priority_refused',
};

/** A push that is looked at and goes nowhere. */
export interface HmsQuestion {
  readonly kind: HmsKind;
  readonly pushType: string | null;
  readonly body: string;
}

export interface HmsVerifyOptions {
  readonly settings: HmsSettings;
  readonly clock: Clock;
  /** A fresh access token, or a fresh signature: what is kept says nothing of the secret. */
  readonly fetchToken: () => Promise<ExchangeAnswer>;
  /** Sends one request with that token. */
  readonly ask: (accessToken: string, question: HmsQuestion) => Promise<HmsResult>;
}

interface Reply {
  readonly finding: Finding | null;
  readonly aheadMs: number | null;
}

/** Gets an access token, and has Push Kit look at a push to nobody for each kind of tokens. */
export async function verifyHms(options: HmsVerifyOptions): Promise<Verification> {
  const { settings, clock, fetchToken, ask } = options;
  const answer = await fetchToken();
  const tokenAheadMs = clockAheadMs(answer.date ?? undefined, clock());
  if (answer.kind === 'refused') return verificationOf([judgeToken(answer)], tokenAheadMs);
  const replies = await Promise.all(
    settings.kinds.map(async (kind) => {
      const result = await ask(answer.token.value, questionFor(kind, settings));
      return readReply(result, kind, options);
    }),
  );
  const findings = replies.flatMap(({ finding }) => finding ?? []);
  const aheadMs = replies.find((reply) => reply.aheadMs !== null)?.aheadMs ?? tokenAheadMs;
  return verificationOf(findings, aheadMs);
}

function questionFor(kind: HmsKind, { highPriority }: HmsSettings): HmsQuestion {
  const token = [NOBODYS_TOKEN];
  if (kind === 'harmony') {
    // This version of the API sends nothing else that nobody would see.
    const pushOptions = { testMessage: true };
    const body = { payload: { extraData: '{}' }, target: { token }, pushOptions };
    return { kind, pushType: '6', body: JSON.stringify(body) };
  }
  const android = { urgency: highPriority ? 'HIGH' : 'NORMAL' };
  const body = { validate_only: true, message: { data: '{}', android, token } };
  return { kind, pushType: null, body: JSON.stringify(body) };
}

function judgeToken({
  outcome,
  description,
}: Extract<ExchangeAnswer, { readonly kind: 'refused' }>): Finding {
  const code = codeOf(outcome);
  const said = description ?? code;
  if (outcome.kind === 'transient') {
    return found(outcome.status === null ? 'unreachable' : 'provider_busy', said);
  }
  return found(code === 'error 1101' ? 'client_refused' : 'unexpected_answer', said);
}

function readReply(
  result: HmsResult,
  kind: HmsKind,
  { settings, clock }: Pick<HmsVerifyOptions, 'settings' | 'clock'>,
): Reply {
  if (result.kind !== 'answer') {
    const why = result.kind === 'no_answer' ? result.code : result.detail;
    return { finding: found('unreachable', why, kind), aheadMs: null };
  }
  const aheadMs = clockAheadMs(result.date, clock());
  const verdict = readVerdict(result, clock());
  if (verdict.kind === 'taken') return { finding: null, aheadMs };
  const outcome = verdict.kind === 'token_refused' ? verdict.otherwise : verdict.outcome;
  const code = codeOf(outcome);
  if (code === ALL_TOKENS_INVALID) return { finding: null, aheadMs };
  const isBusy = outcome.kind === 'transient' || outcome.kind === 'throttled';
  const finding = isBusy ? 'provider_busy' : judge(code, settings, areClocksApart(aheadMs));
  return { finding: found(finding, code, kind), aheadMs };
}

function codeOf(outcome: Outcome): string {
  return 'code' in outcome ? outcome.code : '';
}

function judge(code: string, settings: HmsSettings, clocksApart: boolean): FindingCode {
  const isSigned = settings.kind === 'service_account';
  // It was signed a moment ago, for an hour.
  if (isSigned && code === SIGNATURE_EXPIRED) return 'clock_wrong';
  if (code === TOKEN_INVALID || code === '401') {
    if (!isSigned) return 'token_refused';
    return clocksApart ? 'clock_wrong' : 'key_refused';
  }
  if (code === MAY_NOT_PUSH || code === '404') return refusalOf(settings);
  const known = Object.hasOwn(BY_CODE, code) ? BY_CODE[code] : undefined;
  return known ?? 'unexpected_answer';
}

/** What the credential says about whom it may push for. */
function refusalOf(settings: HmsSettings): FindingCode {
  if (settings.kind === 'service_account') return 'account_refused';
  return settings.projectId === null ? 'app_refused' : 'project_refused';
}

function found(code: FindingCode, answer: string, about: string | null = null): Finding {
  return findingOf(code, HMS_FINDINGS[code], { answer, about });
}
