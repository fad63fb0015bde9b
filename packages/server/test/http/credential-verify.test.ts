import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { createApp, createLogger } from '@homing/server';
import {
  createApnsKey,
  createHmsApp,
  createHmsServiceAccount,
  createServiceAccount,
  createVapidKeys,
} from '@homing/simulators';
import { request, type AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { acceptedPushes } from '../../../../test/pushes.ts';
import { PROJECT, startNetwork, TEAM, TOPIC } from '../../../../test/network.ts';
import { textOf } from './text-of.ts';

const network = await startNetwork({ role: 'api', mode: 'validating' });
after(() => network[Symbol.asyncDispose]());
const { backEnd, apns, sandbox, fcm, hms, hmsApp, expo, clock } = network;
const PATH = '/v1/app/credentials';
const { apns: apnsKey = {}, fcm: account = {}, hms: hmsClient = {} } = network.credentials;

const accessToken = randomBytes(20).toString('base64url');
expo.addAccessToken(accessToken);

const hmsAccount = await createHmsServiceAccount(hmsApp.projectId);
hms.addApp({ ...hmsApp, serviceAccounts: [hmsAccount] });
/** For both kinds of tokens. */
const hmsSigner = { serviceAccount: hmsAccount.json, kinds: ['android', 'harmony'] };

type Settings = Readonly<Record<string, unknown>>;

/** What a provider says about settings, over the API of a server. */
async function verify(
  provider: string,
  settings: Settings,
  url = network.url,
): Promise<AnswerBody> {
  const answer = await request(`${url}${PATH}/verify`, {
    method: 'POST',
    body: { provider, settings },
    headers: { authorization: `Bearer ${network.app.secretKey}` },
  });
  assertAnswered(answer, 200);
  return answer.body;
}

/** The codes and fields of what was found. */
function found(verification: AnswerBody): readonly string[] {
  const findings = verification['findings'] as unknown as readonly AnswerBody[];
  return findings.map((one) => `${textOf(one['code'])} ${JSON.stringify(one['field'])}`);
}

function serviceAccount(over: Settings): Settings {
  return { serviceAccount: { ...(account['serviceAccount'] as Settings), ...over } };
}

async function storedId(provider: string): Promise<string> {
  const { body } = await backEnd.get(PATH);
  const cards = body['data'] as unknown as readonly AnswerBody[];
  return textOf(cards.find((card) => textOf(card['provider']) === provider)?.['id']);
}

for (const provider of ['apns', 'fcm', 'hms']) {
  test(`${provider}: a stored credential that is right is verified, and no phone hears of it`, async () => {
    const id = await storedId(provider);
    const answer = await backEnd.request('POST', `${PATH}/${id}/verify`);
    assertAnswered(answer, 200);
    const { clock_ahead_seconds: ahead, ...said } = answer.body;
    assert.deepEqual(said, { verified: true, findings: [] });
    assert.ok(Math.abs(Number(ahead)) <= 2, JSON.stringify(ahead));
    const card = await backEnd.get(`${PATH}/${id}`);
    assert.ok(textOf(card.body['verified_at']).startsWith('20'));
    assert.deepEqual(acceptedPushes(network.journal), []);
  });
}

test('settings that are right are verified before anything is stored', async () => {
  const { body: before } = await backEnd.get(PATH);
  assert.equal((await verify('apns', apnsKey))['verified'], true);
  assert.equal((await verify('fcm', account))['verified'], true);
  assert.equal((await verify('hms', hmsClient))['verified'], true);
  assert.equal((await verify('hms', hmsSigner))['verified'], true);
  assert.equal((await verify('expo', { accessToken }))['verified'], true);
  const { body: after } = await backEnd.get(PATH);
  assert.deepEqual(after['data'], before['data']);
});

test('apns: each mistake in the settings is told apart', async () => {
  const stranger = createApnsKey(TEAM);
  const cases: readonly (readonly [string, Settings, string])[] = [
    ['another team', { teamId: 'OTHERTEAM1' }, 'key_refused "keyId"'],
    ['another key id', { keyId: 'OTHERKEY12' }, 'key_refused "keyId"'],
    ['another private key', { privateKeyPem: stranger.privateKeyPem }, 'key_refused "keyId"'],
    ['another bundle id', { topics: ['com.other.app'] }, 'topic_refused "topics"'],
    ['a bundle id that is none', { topics: ['-'] }, 'topic_malformed "topics"'],
  ];
  for (const [title, over, expected] of cases) {
    const settings = { ...apnsKey, ...over, environment: 'production' };
    const verification = await verify('apns', settings);
    assert.deepEqual(found(verification), [expected], title);
    assert.equal(verification['verified'], false);
  }
});

test('apns: of several bundle ids the wrong one is named, and both environments are asked', async () => {
  const verification = await verify('apns', { ...apnsKey, topics: [TOPIC, 'com.other.app'] });
  const findings = verification['findings'] as unknown as readonly AnswerBody[];
  assert.deepEqual(
    findings.map((one) => /\(([^)]*)\)$/.exec(textOf(one['meaning']))?.[1]),
    ['com.other.app, production', 'com.other.app, sandbox'],
  );
});

test('apns: a key for the other environment is told from a wrong one', async () => {
  const fault = { kind: 'answer', status: 403, reason: 'BadEnvironmentKeyInToken' } as const;
  sandbox.faults.schedule({ times: 1, fault });
  const verification = await verify('apns', apnsKey);
  assert.deepEqual(found(verification), ['environment_refused "environment"']);
});

test('fcm: each mistake in the settings is told apart', async () => {
  const stranger = await createServiceAccount(PROJECT, fcm.tokenUrl);
  const outsider = await createServiceAccount('acme-other', fcm.tokenUrl);
  const { clientEmail, privateKeyId, publicKeyPem } = outsider;
  const serviceAccounts = [{ clientEmail, privateKeyId, publicKeyPem }];
  fcm.addProject({ projectId: 'acme-other', serviceAccounts });
  fcm.addProject({ projectId: 'acme-silent', serviceAccounts, isApiDisabled: true });
  const { token_uri: _, ...outsiderFile } = outsider.json;
  const { private_key, private_key_id } = stranger.json;
  const cases: readonly (readonly [string, Settings, string])[] = [
    [
      'another private key',
      serviceAccount({ private_key, private_key_id }),
      'key_refused "serviceAccount.private_key"',
    ],
    [
      'a deleted account',
      serviceAccount({ client_email: 'nobody@acme-shop.iam.gserviceaccount.com' }),
      'account_unknown "serviceAccount.client_email"',
    ],
    [
      'a project that is none',
      { ...account, projectId: 'acme-nothing' },
      'project_unknown "projectId"',
    ],
    [
      'a project of others',
      { serviceAccount: outsiderFile, projectId: PROJECT },
      'permission_missing "projectId"',
    ],
    [
      'a project without the API',
      { serviceAccount: outsiderFile, projectId: 'acme-silent' },
      'api_disabled null',
    ],
  ];
  for (const [title, settings, expected] of cases) {
    const verification = await verify('fcm', settings);
    assert.deepEqual(found(verification), [expected], title);
    assert.equal(verification['verified'], false);
  }
  const mismatch = { kind: 'answer', status: 403, reason: 'SENDER_ID_MISMATCH' } as const;
  fcm.faults.schedule({ times: 1, fault: mismatch });
  assert.deepEqual(found(await verify('fcm', account)), ['sender_mismatch "projectId"']);
});

test('hms: each mistake in the settings of an OAuth client is told apart', async () => {
  const other = createHmsApp();
  hms.addApp(other);
  const { projectId } = hmsApp;
  const cases: readonly (readonly [string, Settings, string])[] = [
    ['another secret', { clientSecret: other.clientSecret }, 'client_refused "clientSecret"'],
    ['another client id', { clientId: other.clientId }, 'client_refused "clientSecret"'],
    ['another app', { appId: other.appId, clientId: hmsApp.clientId }, 'app_refused "appId"'],
    ['another project', { projectId: other.projectId }, 'project_refused "projectId"'],
    ['more than was granted', { highPriority: true }, 'high_priority_refused "highPriority"'],
  ];
  for (const [title, over, expected] of cases) {
    const verification = await verify('hms', { ...hmsClient, ...over });
    assert.deepEqual(found(verification), [expected], title);
    assert.equal(verification['verified'], false);
  }
  assert.deepEqual(found(await verify('hms', { ...hmsClient, projectId })), []);
});

test('hms: each mistake in the key file of a service account is told apart', async () => {
  const stranger = await createHmsServiceAccount(hmsApp.projectId);
  const { key_id, private_key, sub_account } = stranger.json;
  const cases: readonly (readonly [string, Settings, string])[] = [
    ['another key id', { key_id }, 'key_refused "serviceAccount"'],
    ['another private key', { private_key }, 'key_refused "serviceAccount"'],
    ['another account', { sub_account }, 'key_refused "serviceAccount"'],
    [
      'another project',
      { project_id: createHmsApp().projectId },
      'account_refused "serviceAccount.project_id"',
    ],
  ];
  for (const [title, over, expected] of cases) {
    const serviceAccount = { ...hmsAccount.json, ...over };
    const verification = await verify('hms', { serviceAccount });
    assert.deepEqual(found(verification), [expected], title);
    assert.equal(verification['verified'], false);
  }
});

test('hms: what Push Kit and its token endpoint answer otherwise is told apart', async () => {
  const cases: readonly (readonly [string, number, string, string])[] = [
    ['an access token that is refused', 200, '80200001', 'token_refused "clientId"'],
    ['messages that want a review', 200, '80100018', 'review_refused null'],
    ['Push Kit not enabled', 200, '80300002', 'app_refused "appId"'],
    ['no such address', 404, '', 'app_refused "appId"'],
    ['trouble at Push Kit', 200, '81000001', 'provider_busy null'],
    ['flow control', 503, '', 'provider_busy null'],
    ['what nobody knows', 418, '', 'unexpected_answer null'],
  ];
  for (const [title, status, reason, expected] of cases) {
    const path = `/v1/${hmsApp.appId}/messages:send`;
    hms.faults.schedule({ match: { path }, times: 1, fault: { kind: 'answer', status, reason } });
    assert.deepEqual(found(await verify('hms', hmsClient)), [expected], title);
  }
  const atTokens = { match: { path: '/oauth2/v3/token' }, times: 1 };
  const throttled = { kind: 'answer', status: 429, reason: '' } as const;
  hms.faults.schedule({ ...atTokens, fault: throttled });
  assert.deepEqual(found(await verify('hms', hmsClient)), ['provider_busy null']);
  hms.faults.schedule({ ...atTokens, fault: { ...throttled, status: 400, reason: 'error 1102' } });
  assert.deepEqual(found(await verify('hms', hmsClient)), ['unexpected_answer null']);
});

test('hms: of two kinds of tokens the one that is refused is named', async () => {
  const path = `/v3/${hmsApp.projectId}/messages:send`;
  const fault = { kind: 'answer', status: 200, reason: '80300002' } as const;
  hms.faults.schedule({ match: { path }, times: 1, fault });
  const { findings } = await verify('hms', hmsSigner);
  const said = (findings as unknown as readonly AnswerBody[]).map((one) => textOf(one['meaning']));
  assert.equal(said.length, 1);
  assert.match(said[0] ?? '', /\(harmony\)$/);
});

test('expo: an access token that is refused is told from one that is missing', async () => {
  const refused = await verify('expo', { accessToken: `${accessToken}x` });
  assert.deepEqual(found(refused), ['token_refused "accessToken"']);
  assert.equal(refused['verified'], false);
  const open = await verify('expo', {});
  assert.deepEqual(found(open), ['nothing_to_verify "accessToken"']);
  assert.equal(open['verified'], null);
  expo.knobs.enhancedSecurity = true;
  assert.deepEqual(found(await verify('expo', {})), ['token_missing "accessToken"']);
  assert.deepEqual(found(await verify('expo', { accessToken })), []);
  expo.knobs.enhancedSecurity = false;
});

test('expo: trouble says nothing of the access token', async () => {
  const cases: readonly (readonly [number, string, string])[] = [
    [503, '(html)', 'provider_busy null'],
    [429, 'TOO_MANY_REQUESTS', 'provider_busy null'],
    [404, 'NOT_FOUND', 'unexpected_answer null'],
  ];
  const match = { path: '/--/api/v2/push/getReceipts' };
  for (const [status, reason, expected] of cases) {
    expo.faults.schedule({ match, times: 1, fault: { kind: 'answer', status, reason } });
    assert.deepEqual(found(await verify('expo', { accessToken })), [expected], reason);
  }
});

test('webpush: nobody is asked, and so nothing is called verified', async () => {
  const settings = { subject: 'mailto:shop@example.com', ...createVapidKeys() };
  const verification = await verify('webpush', settings);
  assert.deepEqual(found(verification), ['subscription_needed null']);
  assert.equal(verification['verified'], null);
  const added = await backEnd.request('POST', PATH, { provider: 'webpush', settings });
  assertAnswered(added, 201);
  const stored = await backEnd.request('POST', `${PATH}/${textOf(added.body['id'])}/verify`);
  assert.equal(stored.body['verified'], null);
  const { body: card } = await backEnd.get(`${PATH}/${textOf(added.body['id'])}`);
  assert.equal(card['verified_at'], null);
});

test('a server whose clock is wrong blames the clock, and not the key', async () => {
  for (const offsetMs of [2 * 3_600_000, -2 * 3_600_000]) {
    const overrides = {
      clock: () => new Date(clock.now().getTime() + offsetMs),
      logger: createLogger('silent'),
    };
    const { config, masterKey } = network;
    await using other = createApp({ ...config, role: 'api' }, { masterKey }, overrides);
    const url = (await other.start()) ?? '';
    for (const [provider, settings] of [
      ['apns', { ...apnsKey, environment: 'production' }],
      ['fcm', account],
      ['hms', { serviceAccount: hmsAccount.json }],
    ] as const) {
      const verification = await verify(provider, settings, url);
      assert.deepEqual(found(verification), ['clock_wrong null'], provider);
      const aheadSeconds = Number(verification['clock_ahead_seconds']);
      assert.ok(Math.abs(aheadSeconds - offsetMs / 1_000) <= 2, `${aheadSeconds}`);
    }
  }
});

test('a clock that differs by a minute works, and is mentioned', async () => {
  const overrides = {
    clock: () => new Date(clock.now().getTime() + 45_000),
    logger: createLogger('silent'),
  };
  const { config, masterKey } = network;
  await using other = createApp({ ...config, role: 'api' }, { masterKey }, overrides);
  const verification = await verify('apns', apnsKey, (await other.start()) ?? '');
  assert.deepEqual(found(verification), ['clock_differs null']);
  assert.equal(verification['verified'], true);
});

test('trouble of a provider says nothing of a credential, and a dead network neither', async () => {
  const fault = { kind: 'answer', status: 503, reason: 'ServiceUnavailable' } as const;
  apns.faults.schedule({ times: 1, fault });
  const busy = await verify('apns', { ...apnsKey, environment: 'production' });
  assert.deepEqual(found(busy), ['provider_busy null']);
  assert.equal(busy['verified'], false);

  const { config, masterKey } = network;
  const providers = {
    ...config.providers,
    apns: 'https://127.0.0.1:1',
    googleToken: 'https://127.0.0.1:1/token',
    hms: 'https://127.0.0.1:1',
    expo: 'https://127.0.0.1:1',
  };
  const logger = createLogger('silent');
  await using other = createApp({ ...config, role: 'api', providers }, { masterKey }, { logger });
  const url = (await other.start()) ?? '';
  const dead = await verify('apns', { ...apnsKey, environment: 'production' }, url);
  assert.deepEqual(found(dead), ['unreachable null']);
  assert.match(textOf(dead['findings']?.[0]?.['answer']), /ECONNREFUSED/);
  assert.deepEqual(found(await verify('fcm', account, url)), ['unreachable null']);
  assert.deepEqual(found(await verify('hms', hmsClient, url)), ['unreachable null']);
  assert.deepEqual(found(await verify('expo', { accessToken }, url)), ['unreachable null']);
});
