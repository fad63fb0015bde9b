import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createHmsServiceAccount,
  HMS_TOKEN_PATH,
  type AnswerFault,
  type Fault,
} from '@homing/simulators';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { Device, hmsToken } from '../device.ts';
import { startNetwork } from '../network.ts';
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

type Token = ReturnType<typeof hmsToken>;
type HmsCase = AnswerCase<Token>;

/** A lane that was stopped is probed after a minute; one with flow control after ten seconds. */
const [REPEAT_MS, FLOW_MS, LANE_MS] = [5_000, 11_000, 66_000];

/** Whatever is asked about the token has this fault; without a number, until it is recovered. */
function suffers(fault: Fault, times = Infinity) {
  return ({ network, name }: Told<Token>): void =>
    network.hms.faults.schedule({ times, match: { token: name }, fault });
}

function answers(status: number, reason: string): AnswerFault {
  return { kind: 'answer', status, reason };
}

/** A code that comes with status 200. */
function coded(code: string, expect: (code: string) => Consequence, times = Infinity): HmsCase {
  return { row: `* ${code}`, tell: suffers(answers(200, code), times), expect: expect(code) };
}

/** An answer without a code. */
function bare(status: number, expect: (code: string) => Consequence): HmsCase {
  const code = String(status);
  return { row: `${status} *`, tell: suffers(answers(status, '')), expect: expect(code) };
}

function transient(code: string): Consequence {
  return triedAgain('transient', code);
}

const TOKEN: readonly HmsCase[] = [
  coded('80100000', tokenDead),
  {
    ...coded('80300007', tokenMismatch),
    when: 'while nothing else says that the credential works',
  },
  {
    ...coded('80300007', tokenDead),
    when: 'while others are taken',
    hasWorked: true,
  },
  {
    ...coded('80300002', tokenMismatch),
    when: 'while others are taken',
    hasWorked: true,
  },
];

const PAYLOAD: readonly HmsCase[] = [
  '80100001',
  '80100003',
  '80100004',
  '80100013',
  '80100016',
  '80300008',
  '80300010',
  '80300011',
  '80300013',
].map((code) => coded(code, payloadRefused));

const CREDENTIAL: readonly HmsCase[] = [
  { ...coded('80100018', credentialStopped), recoversWithinMs: LANE_MS },
  {
    ...coded('80300002', credentialStopped),
    when: 'while nothing else says that the credential works',
    recoversWithinMs: LANE_MS,
  },
  ...['80200001', '80200003', '80200005'].flatMap((code): readonly HmsCase[] => [
    { ...coded(code, () => accepted(2), 1), when: 'and a new access token helps' },
    {
      ...coded(code, () => ({ ...credentialStopped(), requests: 2 })),
      when: 'of a new access token as well',
      recoversWithinMs: LANE_MS,
    },
  ]),
];

const WAITING: readonly HmsCase[] = [
  { ...coded('80100017', credentialWaits), recoversWithinMs: FLOW_MS },
  { ...coded('80600003', transient), recoversWithinMs: REPEAT_MS },
  { ...coded('81000001', transient), recoversWithinMs: REPEAT_MS },
];

const STATUS: readonly HmsCase[] = [
  { ...bare(503, credentialWaits), recoversWithinMs: FLOW_MS },
  { ...bare(502, transient), recoversWithinMs: REPEAT_MS },
  { ...bare(500, transient), recoversWithinMs: REPEAT_MS },
  bare(404, payloadRefused),
  {
    ...bare(401, () => ({ ...credentialStopped(), requests: 2 })),
    recoversWithinMs: LANE_MS,
  },
  bare(400, payloadRefused),
];

/** The token endpoint is asked before anything else, so Push Kit hears of none of these pushes. */
function atTokenEndpoint(row: string, status: number, reason: string): HmsCase {
  const isAuth = status < 429;
  return {
    row,
    tell: ({ network }) =>
      network.hms.faults.schedule({
        times: Infinity,
        match: { path: HMS_TOKEN_PATH },
        fault: answers(status, reason),
      }),
    expect: { ...(isAuth ? credentialStopped() : credentialWaits()), requests: 0 },
    recoversWithinMs: LANE_MS,
  };
}

const HMS: Omit<AnsweringProvider<Token>, 'names'> = {
  credentials: ({ credentials: { hms } }) => ({ ...(hms && { hms }) }),
  register: hmsToken,
  nameOf: (token) => token.value,
  recover({ hms }, { value }) {
    hms.faults.clear();
    hms.devices.set(value, { kind: 'live' });
  },
};

describeAnswers<Token>({ ...HMS, names: ['hms'] }, [
  ...TOKEN,
  ...PAYLOAD,
  ...CREDENTIAL,
  ...WAITING,
  ...STATUS,
]);

describeAnswers<Token>({ ...HMS, names: ['hms-oauth'] }, [
  atTokenEndpoint('400 error 1101', 400, 'error 1101'),
  atTokenEndpoint('429 *', 429, ''),
  atTokenEndpoint('5xx *', 502, ''),
]);

test('a partial success takes the token of whom it names, and sends to nobody twice', async () => {
  await using network = await startNetwork();
  const phones = Array.from({ length: 6 }, () => ({ device: network.device(), token: hmsToken() }));
  for (const { device, token } of phones) assertAnswered(await device.register(token), 201);
  const gone = phones.slice(0, 2);
  for (const { token } of gone) network.hms.devices.set(token.value, { kind: 'illegal' });

  const installations = phones.map(({ device }) => device.id);
  const content = { title: 'The shop closes early today' };
  const id = await network.backEnd.send({ audience: { installations }, content });
  await network.drain();

  const report = await network.backEnd.report(id);
  assert.deepEqual(report['reasons'], { failed: { token_dead: 2 } });
  assert.equal(report['counts']?.['accepted'], 4);
  const statuses = await Promise.all(
    phones.map(async ({ device }) => {
      const { token } = await network.backEnd.installation(device.id);
      return token?.['status'];
    }),
  );
  assert.deepEqual(statuses, ['retired', 'retired', 'live', 'live', 'live', 'live']);
  const sends = network.journal.entries({ provider: 'hms' }).filter(({ body }) => body !== null);
  assert.equal(sends.length, 1);
});

test('a token of HarmonyOS NEXT goes by a service account to an API of its own', async () => {
  await using network = await startNetwork();
  const { hms, hmsApp, issuer, url } = network;
  const account = await createHmsServiceAccount(hmsApp.projectId);
  hms.addApp({ ...hmsApp, serviceAccounts: [account] });
  const credentials = { hms: { serviceAccount: account.json } };
  const app = await network.provision({ credentials });
  const backEnd = new BackEnd(url, app.secretKey);
  const [next, old] = [new Device(url, app, issuer), new Device(url, app, issuer)];
  const harmony = { ...hmsToken(), kind: 'harmony' };
  assertAnswered(await next.register(harmony, 'anna'), 201);
  assertAnswered(await old.register(hmsToken(), 'anna'), 201);
  assert.equal((await backEnd.installation(next.id))['token']?.['kind'], 'harmony');

  const id = await backEnd.sendToUsers(['anna']);
  await network.drain();

  const report = await backEnd.report(id);
  assert.equal(report['counts']?.['accepted'], 1);
  // The app has nothing that serves the older kind of tokens.
  assert.deepEqual(report['reasons'], { skipped: { no_credential: 1 } });
  const [entry] = network.journal.entries({ token: harmony.value });
  assert.equal(entry?.path, `/v3/${hmsApp.projectId}/messages:send`);
  assert.equal(entry.headers['push-type'], '0');
});
