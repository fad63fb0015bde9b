import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createApp, createLogger } from '@homing/server';
import { request, type AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';
import { digestDatabase } from './database-digest.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { backEnd, homing } = network;

function change(settings: unknown, by = backEnd) {
  return by.request('PATCH', '/v1/app', settings);
}

async function read(): Promise<AnswerBody> {
  const answer = await backEnd.get('/v1/app');
  assertAnswered(answer, 200);
  return answer.body;
}

const CHANGED = {
  name: 'Acme Shop and More',
  allowed_origins: ['https://shop.example', 'http://localhost:8080', 'capacitor://localhost'],
  default_ttl_seconds: 3_600,
  user_bound_ttl_ceiling_seconds: 600,
  identity: 'off',
  static_signatures: true,
  jwks_url: 'https://shop.example/.well-known/jwks.json',
  takeover: 'challenge',
  dormancy: {
    platforms: {
      default: { warn_days: 14, dormant_days: 28, unless_accepted: true },
      ios: { warn_days: 90, dormant_days: 180, unless_accepted: false },
    },
    apply: 'automatic',
    apply_after_days: 3,
    send_transactional: false,
    purge: 'automatic',
  },
};

test('an app shows its settings as they are from the start', async () => {
  assert.deepEqual(await read(), {
    id: network.app.id,
    environment: 'test',
    account_mode: 'exclusive',
    name: 'Acme Shop',
    allowed_origins: [],
    default_ttl_seconds: 259_200,
    user_bound_ttl_ceiling_seconds: 86_400,
    identity: 'required',
    static_signatures: false,
    jwks_url: null,
    takeover: 'nonce',
    dormancy: {
      platforms: { default: { warn_days: 30, dormant_days: 60, unless_accepted: false } },
      apply: 'manual',
      apply_after_days: 7,
      send_transactional: true,
      purge: 'manual',
    },
    warnings: [],
  });
});

test('a change of a part of the dormancy policy leaves the rest', async () => {
  const before = await read();
  assertAnswered(await change({ dormancy: CHANGED.dormancy }), 200);
  assertAnswered(await change({ dormancy: { send_transactional: true } }), 200);
  const { dormancy } = await read();
  assert.deepEqual(dormancy, { ...CHANGED.dormancy, send_transactional: true });
  assertAnswered(await change({ dormancy: before['dormancy'] }), 200);
});

test('identity keys that an app cannot have make no app', async () => {
  const key = { keyId: 'h1', algorithm: 'HS256', secret: Buffer.alloc(32, 1) } as const;
  const twice = { identityKeys: [key, key] };
  await assert.rejects(network.provision(twice), { name: 'ProvisionError' });
  const three = { identityKeys: ['h1', 'h2', 'h3'].map((keyId) => ({ ...key, keyId })) };
  await assert.rejects(network.provision(three), { name: 'ProvisionError' });
});

test('each setting changes alone, is on record before and after, and changes back', async () => {
  for (const [name, value] of Object.entries(CHANGED)) {
    const before = await read();
    const answer = await change({ [name]: value });
    assertAnswered(answer, 200);
    assert.deepEqual(settingsIn(answer.body), { ...settingsIn(before), [name]: value });
    assert.equal(
      (answer.body['warnings'] as unknown as string[]).length,
      ['identity', 'static_signatures'].includes(name) ? 1 : 0,
    );
    assert.deepEqual(await read(), answer.body);
    assert.deepEqual(await lastAudit(), {
      action: 'app.change',
      before: { [name]: before[name] },
      after: { [name]: value },
    });
    assertAnswered(await change({ [name]: before[name] }), 200);
    assert.deepEqual(await read(), before);
  }
});

test('several settings change together, and what is equal is not on record', async () => {
  const before = await read();
  assertAnswered(await change({ ...CHANGED, takeover: 'nonce' }), 200);
  const audit = await lastAudit();
  const { takeover: _, ...different } = CHANGED;
  assert.deepEqual(audit?.after, different);
  assertAnswered(await change({ ...different, takeover: 'nonce' }), 200);
  assert.deepEqual(await lastAudit(), audit);
  assertAnswered(await change(settingsIn(before)), 200);
  assert.deepEqual(await read(), before);
});

const BAD: readonly (readonly [string, unknown, string])[] = [
  ['an unknown setting', { colour: 'red' }, '/colour'],
  ['what only the operator sets', { environment: 'live' }, '/environment'],
  ['an empty name', { name: '' }, '/name'],
  ['a blank name', { name: '  ' }, '/name'],
  ['a long name', { name: 'x'.repeat(101) }, '/name'],
  ['null as name', { name: null }, '/name'],
  ['one origin', { allowed_origins: 'https://shop.example' }, '/allowed_origins'],
  ['101 origins', { allowed_origins: Array(101).fill('*') }, '/allowed_origins'],
  ...[
    'shop.example',
    'https://shop.example/',
    'https://shop.example/x',
    'https://Shop.example',
    'https://shop.example:443',
    'https://user@shop.example',
    'https://*.shop.example',
    'https://',
    'null',
    '',
  ].map((origin) => [origin, { allowed_origins: ['*', origin] }, '/allowed_origins/1'] as const),
  ['a negative time', { default_ttl_seconds: -1 }, '/default_ttl_seconds'],
  ['five weeks', { default_ttl_seconds: 2_419_201 }, '/default_ttl_seconds'],
  [
    'a ceiling of nothing',
    { user_bound_ttl_ceiling_seconds: 0 },
    '/user_bound_ttl_ceiling_seconds',
  ],
  ['a fraction', { user_bound_ttl_ceiling_seconds: 1.5 }, '/user_bound_ttl_ceiling_seconds'],
  ['an unknown identity', { identity: 'optional' }, '/identity'],
  ['a text as switch', { static_signatures: 'true' }, '/static_signatures'],
  ['an unknown takeover', { takeover: 'never' }, '/takeover'],
  ...[
    'http://shop.example/jwks.json',
    'shop.example',
    'https://',
    'https://user:secret@shop.example/jwks.json',
    'https://shop.example/jwks.json#keys',
    'file:///etc/passwd',
    'javascript:alert(1)',
    `https://shop.example/${'x'.repeat(2_100)}`,
  ].map((url) => [url.slice(0, 30), { jwks_url: url }, '/jwks_url'] as const),
];

test(`${BAD.length} settings that cannot be are refused by name, and nothing changes`, async (t) => {
  const before = await digestDatabase(homing.db);
  for (const [title, settings, pointer] of BAD) {
    await t.test(title, async () => {
      assertProblem(
        await change({ default_ttl_seconds: 1, ...(settings as object) }),
        'validation_failed',
        pointer,
      );
    });
  }
  assertProblem(await change([]), 'validation_failed');
  assert.equal(await digestDatabase(homing.db), before);
});

test('a live app always requires proof of its users', async () => {
  const live = await network.provision({ environment: 'live' });
  const owner = new BackEnd(network.url, live.secretKey);
  assertProblem(await change({ identity: 'off' }, owner), 'validation_failed', '/identity');
  assertAnswered(await change({ identity: 'required' }, owner), 200);
  await assert.rejects(network.provision({ environment: 'live', identity: 'off' }), /live app/);
});

test('another process honours a change within two seconds, and this one at once', async () => {
  const options = { clock: network.clock.now, logger: createLogger('silent') };
  await using other = createApp(network.config, { masterKey: network.masterKey }, options);
  const otherUrl = await other.start();
  const headers = (origin: string) => ({
    authorization: `Bearer ${network.app.publishableKey}`,
    'homing-installation-secret': 'x'.repeat(43),
    origin,
  });
  const codeAt = async (url: string | null) => {
    const path = `${url}/v1/installations/${network.device().id}`;
    return (await request(path, { headers: headers('https://new.example') })).body['code'];
  };
  for (const url of [network.url, otherUrl]) assert.equal(await codeAt(url), 'origin_not_allowed');
  assertAnswered(await change({ allowed_origins: ['https://new.example'] }), 200);
  assert.equal(await codeAt(network.url), 'invalid_credentials');
  network.clock.advance(2_001);
  assert.equal(await codeAt(otherUrl), 'invalid_credentials');
});

test('changes at the same time are all kept', async () => {
  const changes = Object.entries(CHANGED).map(([name, value]) => change({ [name]: value }));
  for (const answer of await Promise.all(changes)) assertAnswered(answer, 200);
  assert.deepEqual(settingsIn(await read()), CHANGED);
});

/** What of an answer can be sent back. */
function settingsIn(app: AnswerBody): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.keys(CHANGED).map((name) => [name, app[name]]));
}

async function lastAudit() {
  const [row] = await homing.db<{ action: string; before: object; after: object }[]>`
    select action, before, after from audit order by audit_ref desc limit 1`;
  return row;
}
