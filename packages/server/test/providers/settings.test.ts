import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import {
  createApnsKey,
  createCertificateAuthority,
  createHmsServiceAccount,
  createServiceAccount,
} from '@homing/simulators';
import { parseApnsSettings } from '../../src/providers/apns/settings.ts';
import { parseExpoSettings } from '../../src/providers/expo/settings.ts';
import { FCM_ENDPOINTS, parseFcmSettings } from '../../src/providers/fcm/settings.ts';
import { parseHmsSettings } from '../../src/providers/hms/settings.ts';
import { keepSecret, revealSecret } from '../../src/providers/secret-text.ts';
import type { ParsedSettings } from '../../src/providers/settings-reader.ts';

function problemFields(parsed: ParsedSettings<unknown>): readonly string[] {
  assert(parsed.kind === 'problems', 'the settings were expected to be refused');
  return parsed.problems.map(({ field }) => field);
}

const P384_PEM = generateKeyPairSync('ec', {
  namedCurve: 'P-384',
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
}).privateKey;

describe('APNs settings', () => {
  const { keyId, teamId, privateKeyPem } = createApnsKey();
  const good = { keyId, teamId, privateKeyPem, topics: ['com.example.a'], environment: 'both' };

  it('are taken with everything that a key file and its page say', () => {
    const parsed = parseApnsSettings(good);
    assert(parsed.kind === 'settings');
    assert.deepEqual(parsed.settings.environments, ['production', 'sandbox']);
  });

  it('are refused with every problem at once, each under its field', () => {
    const bad = { keyId: 'short', topics: [], environment: 'prod', privateKeyPem: 'x', extra: 1 };
    assert.deepEqual(problemFields(parseApnsSettings(bad)), [
      'extra',
      'teamId',
      'keyId',
      'privateKeyPem',
      'topics',
      'environment',
    ]);
    assert.deepEqual(problemFields(parseApnsSettings('text')).slice(0, 1), ['']);
  });

  it('are refused with a key of another kind, and never repeat the key', () => {
    const broken = '-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----';
    for (const pem of [P384_PEM, broken]) {
      const parsed = parseApnsSettings({ ...good, privateKeyPem: pem });
      assert.deepEqual(problemFields(parsed), ['privateKeyPem']);
      assert.doesNotMatch(JSON.stringify(parsed), /c2VjcmV0|BEGIN/);
    }
  });
});

describe('APNs settings with a certificate', async () => {
  const authority = await createCertificateAuthority();
  const topics = ['com.example.a', 'com.example.a.voip'];
  const issue = async () => {
    const identity = await authority.issueApnsClient({ topics, environments: ['production'] });
    return { certificatePem: identity.certificatePem, privateKeyPem: identity.keyPem };
  };

  it('need nothing else: it names its topics, environments and end', async () => {
    const parsed = parseApnsSettings(await issue());
    assert(parsed.kind === 'settings', JSON.stringify(parsed));
    const { authentication, ...others } = parsed.settings;
    assert.deepEqual([others.topics, others.environments], [topics, ['production']]);
    assert(authentication.kind === 'certificate');
    assert.ok(authentication.expiresAt > new Date());
  });

  it('are refused with the key of another one, and never repeat it', async () => {
    const [one, other] = [await issue(), await issue()];
    const { certificatePem } = one;
    const wrong = parseApnsSettings({ certificatePem, privateKeyPem: other.privateKeyPem });
    assert.deepEqual(problemFields(wrong), ['privateKeyPem']);
    assert.doesNotMatch(JSON.stringify(wrong), /BEGIN/);
    const named = parseApnsSettings({ ...one, topics, teamId: 'ACMETEAM01' });
    assert.deepEqual(problemFields(named), ['topics', 'teamId']);
  });

  it('are refused when it is one for a server, or none', async () => {
    const server = await authority.issue(['localhost']);
    const pems = { certificatePem: server.certificatePem, privateKeyPem: server.keyPem };
    assert.deepEqual(problemFields(parseApnsSettings(pems)), ['certificatePem']);
    const broken = { ...pems, certificatePem: '-----BEGIN CERTIFICATE-----\nc2VjcmV0' };
    assert.deepEqual(problemFields(parseApnsSettings(broken)), ['certificatePem']);
  });

  it('survive any mutilation of a certificate', async () => {
    const { certificatePem, privateKeyPem } = await issue();
    const der = new X509Certificate(certificatePem).raw;
    for (let at = 0; at < der.length; at += 1) {
      const bytes = Buffer.from(der);
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      const text = bytes.toString('base64');
      const pem = `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----`;
      const { kind } = parseApnsSettings({ certificatePem: pem, privateKeyPem });
      assert.ok(kind === 'settings' || kind === 'problems');
    }
  });
});

describe('FCM settings', () => {
  it('are the key file as Google issues it, with fields that nobody needs here', async () => {
    const { json } = await createServiceAccount('parcels-test', FCM_ENDPOINTS.token);
    const serviceAccount = { ...json, universe_domain: 'googleapis.com' };
    const parsed = parseFcmSettings({ serviceAccount });
    assert(parsed.kind === 'settings');
    assert.equal(parsed.settings.projectId, 'parcels-test');
    const other = parseFcmSettings({ serviceAccount, projectId: 'other-project' });
    assert(other.kind === 'settings');
    assert.equal(other.settings.projectId, 'other-project');
  });

  it('are refused when the key file would send the assertion somewhere else', async () => {
    const { json } = await createServiceAccount('parcels-test', 'https://169.254.169.254/token');
    const parsed = parseFcmSettings({ serviceAccount: json });
    assert.deepEqual(problemFields(parsed), ['serviceAccount.token_uri']);
  });

  it('are refused with every problem at once, each under its field', () => {
    const serviceAccount = { type: 'authorized_user', private_key: P384_PEM };
    assert.deepEqual(problemFields(parseFcmSettings({ serviceAccount, extra: 1 })), [
      'extra',
      'serviceAccount.type',
      'serviceAccount.project_id',
      'serviceAccount.private_key_id',
      'serviceAccount.client_email',
      'serviceAccount.private_key',
    ]);
  });
});

describe('HMS settings', () => {
  it('are an OAuth client, whose id is that of the app unless it is given', () => {
    const parsed = parseHmsSettings({ appId: '101', clientSecret: 'secret' });
    assert(parsed.kind === 'settings' && parsed.settings.kind === 'client');
    const { clientId, projectId, kinds, highPriority } = parsed.settings;
    assert.deepEqual(
      { clientId, projectId, kinds, highPriority },
      { clientId: '101', projectId: null, kinds: ['android'], highPriority: false },
    );
    assert.doesNotMatch(inspect(parsed, { depth: 9, showHidden: true }), /'secret'/);
    assert.equal(revealSecret(parsed.settings.clientSecret), 'secret');
  });

  it('are the key file of a service account, with fields that nobody needs here', async () => {
    const { json } = await createHmsServiceAccount('736430079244623');
    const parsed = parseHmsSettings({ serviceAccount: { ...json, developer_id: '1' } });
    assert(parsed.kind === 'settings' && parsed.settings.kind === 'service_account');
    assert.equal(parsed.settings.projectId, '736430079244623');
    assert.deepEqual(parsed.settings.kinds, ['harmony']);
    const both = parseHmsSettings({ serviceAccount: json, kinds: ['harmony', 'android'] });
    assert(both.kind === 'settings');
    assert.deepEqual(both.settings.kinds, ['android', 'harmony']);
    const elsewhere = { ...json, token_uri: 'https://169.254.169.254/token' };
    const refused = parseHmsSettings({ serviceAccount: elsewhere });
    assert.deepEqual(problemFields(refused), ['serviceAccount.token_uri']);
  });

  it('are refused with a key that is too short to sign', async () => {
    const { json } = await createHmsServiceAccount('736430079244623');
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 1_024 });
    const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const refused = parseHmsSettings({ serviceAccount: { ...json, private_key } });
    assert.deepEqual(problemFields(refused), ['serviceAccount.private_key']);
  });

  it('are refused with every problem at once, each under its field', () => {
    const client = { clientId: 'a b', projectId: '', highPriority: 'yes', extra: 1 };
    assert.deepEqual(problemFields(parseHmsSettings(client)), [
      'extra',
      'appId',
      'clientId',
      'clientSecret',
      'projectId',
      'highPriority',
    ]);
    const serviceAccount = { private_key: P384_PEM };
    const given = { serviceAccount, appId: '1', kinds: ['android', 'android'] };
    assert.deepEqual(problemFields(parseHmsSettings(given)), [
      'appId',
      'serviceAccount.project_id',
      'serviceAccount.key_id',
      'serviceAccount.sub_account',
      'serviceAccount.private_key',
      'kinds',
    ]);
  });
});

describe('Expo settings', () => {
  it('may say nothing, an access token, a project, or both', () => {
    for (const [input, settings] of [
      [{}, { accessToken: null, project: null }],
      [{ accessToken: 'secret' }, { accessToken: keepSecret('secret'), project: null }],
      [{ project: '@acme/shop' }, { accessToken: null, project: '@acme/shop' }],
    ] as const) {
      assert.deepEqual(parseExpoSettings(input), { kind: 'settings', settings });
    }
  });

  it('are refused with every problem at once, and never repeat the token', () => {
    const parsed = parseExpoSettings({ accessToken: 'sec ret', project: 'shop', extra: 1 });
    assert.deepEqual(problemFields(parsed), ['extra', 'accessToken', 'project']);
    assert.doesNotMatch(JSON.stringify(parsed), /sec ret/);
  });
});
