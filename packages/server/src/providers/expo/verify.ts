import type { Outcome } from '../../domain/outcome.ts';
import type { Finding, Verification } from '../../domain/verification.ts';
import { findingOf, SHARED_FINDINGS, type FindingTable } from '../finding.ts';
import type { Receipts } from '../provider.ts';

/** What Expo can find wrong with a credential. It looks at no clock. */
export const EXPO_FINDINGS = {
  unreachable: SHARED_FINDINGS.unreachable,
  provider_busy: SHARED_FINDINGS.provider_busy,
  unexpected_answer: SHARED_FINDINGS.unexpected_answer,
  token_refused: {
    weight: 'wrong',
    field: 'accessToken',
    meaning: 'the access token is not valid, or was revoked',
    fix: 'Make a new access token in the settings of the Expo account.',
  },
  token_missing: {
    weight: 'wrong',
    field: 'accessToken',
    meaning: 'Expo wants an access token, and there is none',
    fix: 'Give an access token of the Expo account, or of a robot of it.',
  },
  nothing_to_verify: {
    weight: 'notice',
    field: 'accessToken',
    meaning: 'Expo answers; whether the project wants an access token only a push can show',
    fix: 'Give an access token if enhanced security for push notifications is on.',
  },
} as const satisfies FindingTable;

type FindingCode = keyof typeof EXPO_FINDINGS;

/** The id of no push: Expo's are random. */
const NOBODYS_ID = '00000000-0000-0000-0000-000000000000';

export interface ExpoVerifyOptions {
  readonly hasAccessToken: boolean;
  readonly receipts: Receipts;
}

/** Asks for the receipt of a push that never was: Expo looks at the access token first. */
export async function verifyExpo(
  { hasAccessToken, receipts }: ExpoVerifyOptions,
  signal: AbortSignal,
): Promise<Verification> {
  const answer = await receipts.fetch([NOBODYS_ID], signal);
  if (answer.kind === 'refused') return verification(judge(answer.outcome, hasAccessToken));
  if (hasAccessToken) return verification(null);
  return { ...verification(found('nothing_to_verify')), wasAsked: false };
}

function judge(outcome: Outcome, hasAccessToken: boolean): Finding {
  const code = 'code' in outcome ? outcome.code : null;
  switch (outcome.kind) {
    case 'not_started':
      return found('unreachable');
    case 'unknown':
      return found('unreachable', code);
    case 'transient':
      return found(outcome.status === null ? 'unreachable' : 'provider_busy', code);
    case 'throttled':
      return found('provider_busy', code);
    case 'auth':
      return found(hasAccessToken ? 'token_refused' : 'token_missing', code);
    case 'accepted':
    case 'payload':
    case 'token_dead':
    case 'token_mismatch':
    case 'unclassified':
      return found('unexpected_answer', code);
    default:
      return outcome satisfies never;
  }
}

function verification(finding: Finding | null): Verification {
  return { wasAsked: true, findings: finding === null ? [] : [finding], clockAheadMs: null };
}

function found(code: FindingCode, answer: string | null = null): Finding {
  return findingOf(code, EXPO_FINDINGS[code], { answer });
}
