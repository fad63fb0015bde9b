import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createApp, createLogger } from '@homing/server';
import { createApnsKey, createServiceAccount } from '@homing/simulators';
import { request, type AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { acceptedPushes } from '../../../../test/pushes.ts';
import { PROJECT, startNetwork, TEAM, TOPIC } from '../../../../test/network.ts';
import { textOf } from './text-of.ts';

const network = await startNetwork({ role: 'api', mode: 'validating' });
after(() => network[Symbol.asyncDispose]());
const { backEnd, apns, sandbox, fcm, clock } = network;
const PATH = '/v1/app/credentials';
const { apns: apnsKey = {}, fcm: account = {} } = network.credentials;

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

for (const provider of ['apns', 'fcm']) {
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
  };
  const logger = createLogger('silent');
  await using other = createApp({ ...config, role: 'api', providers }, { masterKey }, { logger });
  const url = (await other.start()) ?? '';
  const dead = await verify('apns', { ...apnsKey, environment: 'production' }, url);
  assert.deepEqual(found(dead), ['unreachable null']);
  assert.match(textOf(dead['findings']?.[0]?.['answer']), /ECONNREFUSED/);
  assert.deepEqual(found(await verify('fcm', account, url)), ['unreachable null']);
});
