import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { after } from 'node:test';
import { createUserAgent, createVapidKeys, type PersonalityName } from '@homing/simulators';
import { describeAnswers, type AnswerCase, type AnsweringProvider } from './answer-case.ts';
import {
  credentialStopped,
  credentialWaits,
  payloadRefused,
  tokenDead,
  tokenMismatch,
  triedAgain,
  type Consequence,
} from './consequence.ts';

interface Token {
  readonly provider: 'webpush';
  readonly endpoint: string;
  readonly keys: { readonly p256dh: string; readonly auth: string };
}

type WebPushCase = AnswerCase<Token>;
type Expectation = (code: string) => Consequence;

/** One key for all apps, so that subscriptions can be made before it is known whose they are. */
const KEYS = createVapidKeys();

const [SECOND_MS, MINUTE_MS] = [1_000, 60_000];
/** The first repeat comes after five seconds, and a lane waits up to a tenth more than a minute. */
const [REPEAT_MS, LANE_MS] = [5 * SECOND_MS, 66 * SECOND_MS];

/** A host that takes connections and never says a word, and one that no name server knows. */
const mute = createServer((socket) => socket.on('error', () => socket.destroy()));
mute.listen(0, '127.0.0.1');
await once(mute, 'listening');
after(() => mute.close());
const MUTE_HOST = `localhost:${(mute.address() as AddressInfo).port}`;
// Longer than a label may be, so that nobody is asked for it.
const NOWHERE_HOST = `${'x'.repeat(64)}.example`;

/** One of the five tables, with the service that speaks like it. */
function speaking(name: string, personality: PersonalityName): AnsweringProvider<Token> {
  return {
    names: [name],
    network: { webPushHosts: [MUTE_HOST, `${NOWHERE_HOST}:443`] },
    credentials: () => ({ webpush: { subject: 'mailto:push@example.com', ...KEYS } }),
    register({ webPush }) {
      const { endpoint, keys } = createUserAgent().subscribe(webPush[personality], KEYS.publicKey);
      return { provider: 'webpush', endpoint, keys };
    },
    nameOf: ({ endpoint }) => endpoint,
    recover({ webPush }) {
      webPush[personality].faults.clear();
    },
  };
}

/** Rows that a service says word for word, all with the same consequence. */
function said(
  personality: PersonalityName,
  rows: readonly string[],
  expect: Expectation,
  recoversWithinMs?: number,
): readonly WebPushCase[] {
  return rows.map((row) => {
    const [, status = '', code = ''] = /^(\S+) (.+)$/.exec(row) ?? [];
    const number = Number(status.replace('xx', '07'));
    return {
      row,
      tell: ({ network, name }) =>
        network.webPush[personality].faults.schedule({
          times: Infinity,
          match: { token: name },
          fault: { kind: 'answer', status: number, reason: code },
        }),
      expect: expect(code === '*' ? String(number) : code),
      ...(recoversWithinMs === undefined ? {} : { recoversWithinMs }),
    };
  });
}

function again(reason: string): Expectation {
  return (code) => triedAgain(reason, code);
}

/** Nobody could be asked, so nothing is burnt. */
const OUT_OF_REACH: Consequence = { ...credentialWaits(), requests: 0 };

describeAnswers<Token>(speaking('webpush', 'google'), [
  ...said('google', ['404 *', '410 *'], tokenDead),
  ...said('google', ['400 *', '405 *', '413 *'], payloadRefused),
  // Alone it is the fault of the subscription; of five in a row, that of the key.
  ...said('google', ['401 *', '403 *'], tokenMismatch),
  ...said('google', ['402 *'], credentialStopped, LANE_MS),
  ...said('google', ['406 *', '429 *'], credentialWaits, LANE_MS),
  ...said('google', ['3xx *'], again('unclassified'), REPEAT_MS),
  ...said('google', ['5xx *'], again('transient'), REPEAT_MS),
  {
    row: '- ENOTFOUND',
    register: () => elsewhere(NOWHERE_HOST),
    tell: () => undefined,
    expect: { ...OUT_OF_REACH, others: 'go on' },
  },
  {
    row: '- TIMEOUT',
    register: () => elsewhere(MUTE_HOST),
    tell: () => undefined,
    expect: { ...OUT_OF_REACH, others: 'go on' },
  },
  {
    row: '- permanently-removed.invalid',
    when: 'of before such endpoints were refused at registration',
    tell: async ({ network, name }) => {
      const removed = 'https://permanently-removed.invalid/fcm/send/x';
      await network.homing.db`update installation set token = ${removed} where token = ${name}`;
    },
    expect: { ...tokenDead('permanently-removed.invalid'), requests: 0 },
  },
]);

describeAnswers<Token>(speaking('webpush-fcm', 'google'), [
  ...said('google', ['404 *', '410 *'], tokenDead),
  ...said('google', ['400 UnauthorizedRegistration', '403 vapid-mismatch'], tokenMismatch),
  ...said('google', ['400 payload-too-large-text'], payloadRefused),
  ...said('google', ['401 no-authorization'], credentialStopped, LANE_MS),
  ...said('google', ['429 *'], credentialWaits, LANE_MS),
  ...said('google', ['5xx *'], again('transient'), REPEAT_MS),
]);

describeAnswers<Token>(speaking('webpush-mozilla', 'mozilla'), [
  ...said(
    'mozilla',
    ['404 errno 102', '410 errno 103', '410 errno 105', '410 errno 106'],
    tokenDead,
  ),
  ...said(
    'mozilla',
    [
      '400 errno 101',
      '413 errno 104',
      '400 errno 108',
      '400 errno 110',
      '400 errno 111',
      '400 errno 112',
      '400 errno 113',
      '400 errno 114',
    ],
    payloadRefused,
  ),
  ...said('mozilla', ['401 errno 109'], credentialStopped, LANE_MS),
  ...said('mozilla', ['401 errno 109:KeyMismatch'], tokenMismatch),
  ...said('mozilla', ['429 *'], credentialWaits, LANE_MS),
  ...said(
    'mozilla',
    [
      '500 errno 999',
      '500 *',
      '502 errno 900',
      '502 errno 901',
      '502 errno 902',
      '502 errno 903',
      '502 errno null',
    ],
    again('transient'),
    REPEAT_MS,
  ),
  // With every one of these it asks for two minutes.
  ...said(
    'mozilla',
    ['503 errno 201', '503 errno 202', '503 errno null'],
    again('transient'),
    2 * MINUTE_MS,
  ),
]);

describeAnswers<Token>(speaking('webpush-apple', 'apple'), [
  ...said('apple', ['410 Unregistered', '410 ExpiredToken', '410 *'], tokenDead),
  ...said(
    'apple',
    [
      '400 BadTtl',
      '400 BadUrgency',
      '400 BadWebPushRequest',
      '400 BadWebPushTopic',
      '404 BadPath',
      '405 MethodNotAllowed',
      '413 PayloadTooLarge',
    ],
    payloadRefused,
  ),
  ...said(
    'apple',
    ['400 VapidPkHashMismatch', '403 VapidPkHashMismatch', '400 BadDeviceToken'],
    tokenMismatch,
  ),
  ...said(
    'apple',
    [
      '400 BadAuthorizationHeader',
      '403 BadAuthorizationHeader',
      '403 BadJwtToken',
      '400 BadVapidPublicKey',
      '403 BadVapidPublicKey',
    ],
    credentialStopped,
    LANE_MS,
  ),
  ...said('apple', ['429 TooManyRequests'], again('throttled'), MINUTE_MS),
  ...said(
    'apple',
    ['400 IdleTimeout', '500 InternalServerError', '503 ServiceUnavailable', '503 Shutdown'],
    again('transient'),
    REPEAT_MS,
  ),
]);

describeAnswers<Token>(speaking('webpush-wns', 'wns'), [
  ...said('wns', ['404 *', '410 *'], tokenDead),
  ...said('wns', ['400 TTL/X-WNS-Cache-Policy conflict', '400 *', '413 *'], payloadRefused),
  ...said('wns', ['401 *', '403 *'], tokenMismatch),
  ...said('wns', ['406 *'], credentialWaits, LANE_MS),
  ...said('wns', ['412 *', '5xx *'], again('transient'), REPEAT_MS),
  ...said('wns', ['201 X-WNS-Status: dropped'], again('unclassified'), REPEAT_MS),
  ...said('wns', ['201 X-WNS-Status: channelthrottled'], again('throttled'), 10 * MINUTE_MS),
]);

function elsewhere(host: string): Token {
  const { keys } = createUserAgent();
  return { provider: 'webpush', endpoint: `https://${host}/fcm/send/x`, keys };
}
