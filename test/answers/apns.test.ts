import { LIMITS } from '@homing/server';
import type { AnswerFault, Fault } from '@homing/simulators';
import { apnsToken } from '../device.ts';
import type { Network } from '../network.ts';
import { describeAnswers, type AnswerCase, type Told } from './answer-case.ts';
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

type Token = ReturnType<typeof apnsToken>;
type ApnsCase = AnswerCase<Token>;

const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000];
/** A lane waits up to a tenth longer than a minute. */
const LANE_MS = 66 * SECOND_MS;

/** Whatever is asked about the token has this fault; without a number, until it is recovered. */
function suffers(fault: Fault, times = Infinity) {
  return ({ network, name }: Told<Token>): void =>
    network.apns.faults.schedule({ times, match: { token: name }, fault });
}

function answers(status: number, reason: string): AnswerFault {
  return { kind: 'answer', status, reason };
}

/** A row with a reason of its own, which the simulator gives word for word. */
function spoken(row: string, expect: (code: string) => Consequence, times = Infinity): ApnsCase {
  const [status = '', reason = ''] = row.split(' ');
  return { row, tell: suffers(answers(Number(status), reason), times), expect: expect(reason) };
}

/** The row for reasons that nobody has heard of. */
function unheard(row: string, status: number, expect: (code: string) => Consequence): ApnsCase {
  return { row, tell: suffers(answers(status, 'NewReason')), expect: expect('NewReason') };
}

function again(reason: string): (code: string) => Consequence {
  return (code) => triedAgain(reason, code);
}

const PAYLOAD: readonly ApnsCase[] = [
  '400 BadCollapseId',
  '400 BadExpirationDate',
  '400 BadMessageId',
  '400 BadPriority',
  '400 DuplicateHeaders',
  '400 InvalidPushType',
  '400 MissingDeviceToken',
  '400 MissingTopic',
  '400 PayloadEmpty',
  '404 BadPath',
  '405 MethodNotAllowed',
  '413 PayloadTooLarge',
].map((row) => spoken(row, payloadRefused));

const CREDENTIAL: readonly ApnsCase[] = [
  '403 BadCertificate',
  '403 BadCertificateEnvironment',
  '403 Forbidden',
  '403 InvalidProviderToken',
  '403 MissingProviderToken',
  '403 BadEnvironmentKeyIdInToken',
  '403 BadEnvironmentKeyInToken',
].map((row) => ({ ...spoken(row, credentialStopped), recoversWithinMs: LANE_MS }));

/** APNs keeps refusing on a connection that saw something it did not like. */
const HEALED: readonly ApnsCase[] = [
  {
    ...spoken('400 IdleTimeout', () => accepted(2), 1),
    when: 'and a new connection helps',
  },
  {
    ...spoken('400 IdleTimeout', (code) => ({ ...triedAgain('transient', code), requests: 2 })),
    when: 'on a new connection as well',
    recoversWithinMs: SECOND_MS,
  },
  {
    ...spoken('403 UnrelatedKeyIdInToken', () => accepted(2), 1),
    when: 'and a new connection helps',
  },
  {
    ...spoken('403 UnrelatedKeyIdInToken', () => ({ ...credentialStopped(), requests: 2 })),
    when: 'on a new connection as well',
    recoversWithinMs: LANE_MS,
  },
  {
    row: '403 ExpiredProviderToken',
    when: 'for a token that may be renewed',
    hasWorked: true,
    async tell(told) {
      await told.network.clock.advance(30 * MINUTE_MS);
      suffers(answers(403, 'ExpiredProviderToken'), 1)(told);
    },
    expect: accepted(2),
  },
  {
    ...spoken('403 ExpiredProviderToken', credentialStopped),
    when: 'for a token that was just signed, so that the clocks disagree',
    recoversWithinMs: LANE_MS,
  },
];

const TOKEN: readonly ApnsCase[] = [
  {
    row: '400 BadDeviceToken',
    when: 'and the other environment knows it no better',
    tell({ network, name }) {
      network.apns.devices.set(name, { kind: 'other_environment' });
      network.sandbox.devices.set(name, { kind: 'other_environment' });
    },
    expect: { ...tokenMismatch('BadDeviceToken'), token: 'retired', requests: 2 },
  },
  {
    row: '400 BadDeviceToken',
    when: 'and it is of the other environment',
    tell: ({ network, name }) => network.apns.devices.set(name, { kind: 'other_environment' }),
    expect: accepted(3),
  },
  {
    row: '400 BadDeviceToken',
    when: 'and it is dead in the other environment',
    tell({ network, name }) {
      network.apns.devices.set(name, { kind: 'other_environment' });
      const atMs = network.clock.now().getTime() - HOUR_MS;
      network.sandbox.devices.set(name, { kind: 'unregistered', atMs });
    },
    expect: { ...tokenMismatch('BadDeviceToken'), token: 'retired', requests: 2 },
  },
  {
    row: '400 DeviceTokenNotForTopic',
    tell: ({ network, name }) => network.apns.devices.set(name, { kind: 'other_topic' }),
    expect: tokenMismatch('DeviceTokenNotForTopic'),
  },
  spoken('400 BadTopic', tokenMismatch),
  {
    row: '410 Unregistered',
    tell: ({ network, name }) => {
      const atMs = network.clock.now().getTime() - HOUR_MS;
      network.apns.devices.set(name, { kind: 'unregistered', atMs });
    },
    expect: tokenDead('Unregistered'),
  },
  {
    row: '410 Unregistered',
    when: 'as of a moment after which the device may have checked in',
    tell: ({ network, name }) => {
      const atMs = network.clock.now().getTime() - 8 * HOUR_MS;
      network.apns.devices.set(name, { kind: 'unregistered', atMs });
    },
    expect: { ...tokenDead('Unregistered'), token: 'quarantined' },
  },
  {
    row: '410 Unregistered',
    when: 'as of a moment before the device confirmed it',
    tell: ({ network, name }) => {
      const atMs = network.clock.now().getTime() - 24 * HOUR_MS;
      network.apns.devices.set(name, { kind: 'unregistered', atMs });
    },
    // The device has the token, so the push is offered again, until that has been often enough.
    expect: { ...tokenDead('Unregistered'), token: 'active', requests: LIMITS.tokenAttempts },
  },
  {
    row: '410 ExpiredToken',
    tell: ({ network, name }) => {
      const atMs = network.clock.now().getTime() - HOUR_MS;
      network.apns.devices.set(name, { kind: 'expired', atMs });
    },
    expect: tokenDead('ExpiredToken'),
  },
];

const WAITING: readonly ApnsCase[] = [
  {
    ...spoken('400 TopicDisallowed', again('auth')),
    recoversWithinMs: MINUTE_MS,
  },
  {
    row: '429 TooManyRequests',
    tell: ({ network, name }) => network.apns.devices.set(name, { kind: 'throttled' }),
    expect: triedAgain('throttled', 'TooManyRequests'),
    recoversWithinMs: 30 * SECOND_MS,
  },
  {
    ...spoken('429 TooManyProviderTokenUpdates', credentialWaits),
    recoversWithinMs: LANE_MS,
  },
  ...['500 InternalServerError', '503 ServiceUnavailable', '503 Shutdown'].map((row) => ({
    ...spoken(row, again('transient')),
    recoversWithinMs: SECOND_MS,
  })),
];

const UNHEARD: readonly ApnsCase[] = [
  unheard('400 *', 400, payloadRefused),
  { ...unheard('403 *', 403, credentialStopped), recoversWithinMs: LANE_MS },
  unheard('410 *', 410, tokenDead),
  { ...unheard('429 *', 429, credentialWaits), recoversWithinMs: LANE_MS },
  { ...unheard('5xx *', 507, again('transient')), recoversWithinMs: SECOND_MS },
];

const UNANSWERED: readonly ApnsCase[] = [
  {
    row: '- HTTP2_REFUSED_STREAM',
    tell: suffers({ kind: 'refused_stream' }, 1),
    expect: accepted(2),
  },
  {
    row: '- GOAWAY',
    hasWorked: true,
    tell: suffers({ kind: 'goaway', reason: 'Shutdown', lastStream: 'before_this' }, 1),
    expect: accepted(2),
  },
  {
    row: '- NETWORK_AFTER_SEND',
    tell: suffers({ kind: 'reset' }, 1),
    expect: triedAgain('unknown', 'NETWORK_AFTER_SEND'),
    recoversWithinMs: SECOND_MS,
  },
];

describeAnswers<Token>(
  {
    names: ['apns'],
    credentials: ({ credentials: { apns } }: Network) => ({ ...(apns && { apns }) }),
    register: apnsToken,
    nameOf: (token) => token.value,
    recover({ apns, sandbox }, { value }) {
      for (const simulator of [apns, sandbox]) {
        simulator.faults.clear();
        simulator.devices.set(value, { kind: 'live' });
      }
    },
  },
  [...PAYLOAD, ...CREDENTIAL, ...HEALED, ...TOKEN, ...WAITING, ...UNHEARD, ...UNANSWERED],
);
