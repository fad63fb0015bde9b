import { FCM_TOKEN_PATH, type AnswerFault, type Fault } from '@homing/simulators';
import { fcmToken } from '../device.ts';
import type { Network } from '../network.ts';
import {
  describeAnswers,
  type AnswerCase,
  type AnsweringProvider,
  type Told,
} from './answer-case.ts';
import {
  accepted,
  credentialStopped,
  credentialWaits,
  payloadRefused,
  tokenDead,
  tokenMismatch,
  triedAgain,
  type Consequence,
} from './consequence.ts';

type Token = ReturnType<typeof fcmToken>;
type FcmCase = AnswerCase<Token>;

/** Google wants ten seconds before a repeat; a lane waits up to a tenth longer than a minute. */
const [REPEAT_MS, LANE_MS] = [10_000, 66_000];

/** Whatever is asked about the token has this fault; without a number, until it is recovered. */
function suffers(fault: Fault, times = Infinity) {
  return ({ network, name }: Told<Token>): void =>
    network.fcm.faults.schedule({ times, match: { token: name }, fault });
}

function answers(status: number, reason: string): AnswerFault {
  return { kind: 'answer', status, reason };
}

/** The row for reasons that nobody has heard of. */
function unheard(row: string, status: number, expect: (code: string) => Consequence): FcmCase {
  return { row, tell: suffers(answers(status, 'NEW_REASON')), expect: expect('NEW_REASON') };
}

/** A row that the simulator's fault is called by; what the ledger keeps is the row's own code. */
function spoken(row: string, expect: (code: string) => Consequence, times = Infinity): FcmCase {
  const [, status = '', code = ''] = /^(\d+) (.+)$/.exec(row) ?? [];
  const reason = code.replace('(no FcmError)', '');
  return { row, tell: suffers(answers(Number(status), reason), times), expect: expect(code) };
}

function again(reason: string): (code: string) => Consequence {
  return (code) => triedAgain(reason, code);
}

const TOKEN: readonly FcmCase[] = [
  spoken('404 UNREGISTERED', tokenDead),
  spoken('400 INVALID_ARGUMENT:ApnsError410', tokenDead),
  spoken('400 INVALID_ARGUMENT:ApnsError400BadDeviceToken', tokenMismatch),
  spoken('403 SENDER_ID_MISMATCH', tokenMismatch),
  {
    row: '400 INVALID_ARGUMENT:token',
    when: 'of a token that never worked, in the older words',
    tell: ({ network, name }) =>
      network.fcm.devices.set(name, { kind: 'bad_token', body: 'message' }),
    expect: tokenDead('INVALID_ARGUMENT:token'),
  },
  {
    row: '400 INVALID_ARGUMENT:token',
    when: 'of a token that never worked, in the newer words',
    tell: ({ network, name }) =>
      network.fcm.devices.set(name, { kind: 'bad_token', body: 'field_violation' }),
    expect: tokenDead('INVALID_ARGUMENT:token'),
  },
];

/** Google says the same of a token that is none and of some messages that it does not like. */
const DOUBTED: readonly FcmCase[] = [
  {
    row: '400 INVALID_ARGUMENT:token',
    when: 'of a token that worked before, and is refused again with next to nothing to say',
    hasWorked: true,
    tell: ({ network, name }) =>
      network.fcm.devices.set(name, { kind: 'bad_token', body: 'message' }),
    expect: { ...tokenDead('INVALID_ARGUMENT:token'), requests: 2 },
  },
  {
    row: '400 INVALID_ARGUMENT:token',
    when: 'of a token that worked before, because of the message',
    hasWorked: true,
    tell: suffers(answers(400, 'INVALID_ARGUMENT:token'), 1),
    expect: { ...payloadRefused('INVALID_ARGUMENT:token'), requests: 2 },
  },
];

const PAYLOAD: readonly FcmCase[] = [
  '400 INVALID_ARGUMENT:fieldViolation',
  '400 INVALID_ARGUMENT:no-details',
  '400 INVALID_ARGUMENT:no-target',
].map((row) => spoken(row, payloadRefused));

const CREDENTIAL: readonly FcmCase[] = [
  ...['400 FAILED_PRECONDITION', '403 PERMISSION_DENIED(no FcmError)'].map((row) => ({
    ...spoken(row, credentialStopped),
    recoversWithinMs: LANE_MS,
  })),
  {
    ...spoken('401 UNAUTHENTICATED', () => accepted(2), 1),
    when: 'and a new access token helps',
  },
  {
    ...spoken('401 UNAUTHENTICATED', () => ({ ...credentialStopped(), requests: 2 })),
    when: 'of a new access token as well',
    recoversWithinMs: LANE_MS,
  },
  // Firebase's own key for one platform: other platforms of the project are none the worse.
  ...['401 THIRD_PARTY_AUTH_ERROR', '401 APNS_AUTH_ERROR'].map((row) => ({
    ...spoken(row, again('auth')),
    recoversWithinMs: LANE_MS,
  })),
];

const WAITING: readonly FcmCase[] = [
  ...['429 QUOTA_EXCEEDED', '429 RESOURCE_EXHAUSTED'].map((row) => ({
    ...spoken(row, credentialWaits),
    recoversWithinMs: LANE_MS,
  })),
  ...['500 INTERNAL', '502 (html)', '503 UNAVAILABLE', '504 DEADLINE_EXCEEDED'].map((row) => ({
    ...spoken(row, again('transient')),
    recoversWithinMs: REPEAT_MS,
  })),
];

/** Answers that say nothing definite are repeated once and never touch a token. */
const INDEFINITE: readonly FcmCase[] = [
  '404 NOT_FOUND(no FcmError)',
  '400 UNSPECIFIED_ERROR',
  '404 (html)',
].map((row) => ({ ...spoken(row, again('unclassified')), recoversWithinMs: REPEAT_MS }));

const UNHEARD: readonly FcmCase[] = [
  unheard('400 *', 400, payloadRefused),
  {
    ...unheard('401 *', 401, () => ({ ...credentialStopped(), requests: 2 })),
    recoversWithinMs: LANE_MS,
  },
  { ...unheard('403 *', 403, credentialStopped), recoversWithinMs: LANE_MS },
  { ...unheard('404 *', 404, again('unclassified')), recoversWithinMs: REPEAT_MS },
  { ...unheard('429 *', 429, credentialWaits), recoversWithinMs: LANE_MS },
  { ...unheard('5xx *', 507, again('transient')), recoversWithinMs: REPEAT_MS },
];

const UNANSWERED: readonly FcmCase[] = [
  {
    row: '- TIMEOUT',
    tell: suffers({ kind: 'silence' }, 1),
    expect: triedAgain('unknown', 'TIMEOUT'),
    recoversWithinMs: REPEAT_MS,
  },
];

/** The token endpoint is asked before anything else, so FCM hears of none of these pushes. */
function atTokenEndpoint(row: string, status: number, error: string): FcmCase {
  const isAuth = status < 429;
  return {
    row,
    tell: ({ network }) =>
      network.fcm.faults.schedule({
        times: Infinity,
        match: { path: FCM_TOKEN_PATH },
        fault: answers(status, error),
      }),
    expect: { ...(isAuth ? credentialStopped() : credentialWaits()), requests: 0 },
    recoversWithinMs: LANE_MS,
  };
}

const FCM: Omit<AnsweringProvider<Token>, 'names'> = {
  // Silence is tried as well, and a test need not be as patient as a server.
  network: { overrides: { random: () => 0.5, answerTimeoutMs: 500 } },
  credentials: ({ credentials: { fcm } }: Network) => ({ ...(fcm && { fcm }) }),
  register: fcmToken,
  nameOf: (token) => token.value,
  recover({ fcm }, { value }) {
    fcm.faults.clear();
    fcm.devices.set(value, { kind: 'live' });
  },
};

describeAnswers<Token>({ ...FCM, names: ['fcm'] }, [
  ...TOKEN,
  ...DOUBTED,
  ...PAYLOAD,
  ...CREDENTIAL,
  ...WAITING,
  ...INDEFINITE,
  ...UNHEARD,
  ...UNANSWERED,
]);

describeAnswers<Token>({ ...FCM, names: ['google-oauth'] }, [
  atTokenEndpoint('400 invalid_grant', 400, 'invalid_grant'),
  atTokenEndpoint('400 invalid_scope', 400, 'invalid_scope'),
  atTokenEndpoint('401 invalid_client', 401, 'invalid_client'),
  atTokenEndpoint('403 *', 403, 'access_denied'),
  atTokenEndpoint('429 *', 429, 'rate_limit_exceeded'),
  atTokenEndpoint('5xx *', 503, 'internal_failure'),
]);
