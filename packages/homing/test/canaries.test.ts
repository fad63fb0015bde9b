import assert from 'node:assert/strict';
import { createPrivateKey, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createHmsServiceAccount, createUserAgent } from '@homing/simulators';
import type { HmsServiceAccountFile } from '@homing/simulators';
import { assertAnswered } from '../../../test/answered.ts';
import type { BackEnd } from '../../../test/back-end.ts';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { apnsToken, expoToken, fcmToken, hmsToken } from '../../../test/device.ts';
import { openDatabase } from '../../server/src/store/sql.ts';
import { dumpDatabase } from '../../server/test/http/database-digest.ts';
import { textOf } from '../../server/test/http/text-of.ts';
import { demoCredentials } from '../src/demo-app.ts';
import { DEMO_TOPIC } from '../src/simulator-identity.ts';
import { Deployment, type PhoneToken } from './deployment.ts';
import { snapshotOptions, takeHeapSnapshot } from './heap-snapshot.ts';
import type { HomingProcess } from './homing-process.ts';
import { ScratchDirectory } from './scratch-directory.ts';

const PATH = '/v1/app/credentials';
/** How each provider refuses a credential. */
const REFUSED = {
  apns: { kind: 'answer', status: 403, reason: 'InvalidProviderToken' },
  hms: { kind: 'answer', status: 200, reason: '80200001' },
  webPush: { kind: 'answer', status: 401, reason: 'errno 109' },
  expo: { kind: 'answer', status: 401, reason: 'UNAUTHORIZED' },
} as const;

/** Texts by which a secret would be recognised, with what each of them is. */
type Canaries = ReadonlyMap<string, string>;

/**
 * Secrets are sent, used, verified, refused and retired, and then looked for wherever they must not
 * be. They come from this process over HTTP, so that the server's heap has no trace of them that it
 * did not make itself.
 */
describe('secrets of credentials, used and refused', () => {
  let scratch: ScratchDirectory;
  let database: TestDatabase;
  let deployment: Deployment;
  let homing: HomingProcess;
  let snapshots: string;
  let canaries: Canaries;
  const answers: string[] = [];
  const garbage = `CANARY${randomBytes(24).toString('hex')}`;
  const sharedSecret = randomBytes(32).toString('base64');
  const accessToken = randomBytes(20).toString('base64url');
  let hmsAccount: HmsServiceAccountFile;

  before(async () => {
    scratch = await ScratchDirectory.create();
    database = await createTestDatabase();
    deployment = await Deployment.create(scratch, database.url);
    const { apnsKey, serviceAccount, hmsApp, vapidKeys } = deployment.identity;
    const account = await createHmsServiceAccount(hmsApp.projectId);
    hmsAccount = account.json;
    deployment.simulators.hms.addApp({ ...hmsApp, serviceAccounts: [account] });
    deployment.simulators.expo.addAccessToken(accessToken);
    canaries = new Map([
      ...canariesOf('APNs key', apnsKey.privateKeyPem),
      ...canariesOf('service account key', serviceAccount.private_key),
      ...canariesOf('HMS account key', hmsAccount.private_key),
      ['HMS client secret', hmsApp.clientSecret],
      ['VAPID key', vapidKeys.privateKey],
      ['VAPID key in hex', Buffer.from(vapidKeys.privateKey, 'base64url').toString('hex')],
      ['Expo access token', accessToken],
      ['shared secret', sharedSecret],
      ['refused setting', garbage],
      ['master key', deployment.masterKey],
      ['master key in hex', Buffer.from(deployment.masterKey, 'base64').toString('hex')],
    ]);
    snapshots = scratch.next();
    await mkdir(snapshots);
    const environment = { HOMING_LOG_LEVEL: 'debug' };
    homing = deployment.run(['serve'], environment, snapshotOptions(snapshots));
    await exercise(await deployment.backEndOf(homing));
  });
  after(async () => {
    await homing[Symbol.asyncDispose]();
    await deployment[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  it('are not in the database, neither in clear nor in hex', async () => {
    const db = openDatabase({ url: database.url, maxConnections: 1, applicationName: 'test' });
    const dump = await dumpDatabase(db);
    await db.end();
    assert.match(dump, /^credential: /m);
    assert.deepEqual(hits(Buffer.from(dump), canaries), []);
    const inHex = [...canaries].map(([name, text]) => [name, Buffer.from(text).toString('hex')]);
    assert.deepEqual(hits(Buffer.from(dump), new Map(inHex as [string, string][])), []);
  });

  it('are in no answer, and in no line of the log at debug level', () => {
    assert.ok(answers.length >= 39, `${answers.length} answers`);
    assert.deepEqual(hits(Buffer.from(answers.join('\n')), canaries), []);
    assert.deepEqual(hits(Buffer.from(homing.output), canaries), []);
  });

  it('are not in the heap', async (t) => {
    const snapshot = await takeHeapSnapshot(homing, snapshots);
    t.diagnostic(`${canaries.size} canaries, ${Math.round(snapshot.length / 1e6)} MB`);
    // What is known to be there is found, so that nothing was left out.
    assert.deepEqual(hits(snapshot, new Map([['topic', DEMO_TOPIC]])), ['topic']);
    assert.deepEqual(hits(snapshot, canaries), []);
  });

  /** Everything that is done with secrets, and that can go wrong with them. */
  async function exercise(backEnd: BackEnd): Promise<void> {
    const call = async (method: string, path: string, body?: unknown, status = 200) => {
      const answer = await backEnd.request(method, path, body);
      answers.push(JSON.stringify(answer.body));
      assertAnswered(answer, status);
      return status === 201 && path === PATH ? textOf(answer.body['id']) : '';
    };
    const { apns, fcm, hms, webpush, expo } = demoCredentials(deployment.identity);
    const given = [
      ['fcm', fcm],
      ['apns', apns],
      ['hms', hms],
      ['hms', { serviceAccount: hmsAccount }],
      ['webpush', webpush],
      ['expo', { ...expo, accessToken }],
    ] as const;
    const added: string[] = [];
    for (const [provider, settings] of given) {
      await call('POST', `${PATH}/verify`, { provider, settings });
      added.push(await call('POST', PATH, { provider, settings }, 201));
      await call('POST', PATH, { provider, settings: { ...settings, misspelt: garbage } }, 422);
    }
    for (const [provider, settings] of Object.entries(spoilt(garbage))) {
      await call('POST', PATH, { provider, settings }, 422);
    }
    await call('POST', '/v1/app/identity-keys', { kid: 'canary', secret: sharedSecret }, 201);
    for (const token of phones()) await deployment.register('maria', token);
    await backEnd.sendToUsers(['maria']);
    await deployment.pushesArrived(6, 60_000);
    refuseOnce();
    await backEnd.sendToUsers(['maria']);
    // Those to FCM, and those to HMS with new access tokens.
    await deployment.pushesArrived(9, 60_000);
    await refusedByAll();
    for (const id of added) {
      await call('POST', `${PATH}/${id}/verify`);
      await call('GET', `${PATH}/${id}`);
      await call('PATCH', `${PATH}/${id}`, { name: 'canary' });
    }
    await call('GET', PATH);
    await call('GET', '/v1/alerts');
    await call('DELETE', `${PATH}/${added[0] ?? ''}`, undefined, 204);
  }

  /** A phone or a browser for each credential. */
  function phones(): readonly PhoneToken[] {
    const { publicKey } = deployment.identity.vapidKeys;
    const { endpoint, keys } = createUserAgent().subscribe(
      deployment.simulators.webPush,
      publicKey,
    );
    return [
      apnsToken(),
      fcmToken(),
      hmsToken(),
      { ...hmsToken(), kind: 'harmony' },
      { provider: 'webpush', endpoint, keys },
      expoToken(),
    ];
  }

  async function refusedByAll(): Promise<void> {
    const { journal } = deployment.simulators;
    const count = (): number => journal.entries().filter(({ fault }) => fault !== null).length;
    await journal.waitFor(() => count() >= 5, { timeoutMs: 60_000 });
  }

  /** What is sent next is refused: for good, or until another access token comes. */
  function refuseOnce(): void {
    const { apns, hms, webPush, expo } = deployment.simulators;
    const { appId, projectId } = deployment.identity.hmsApp;
    apns.faults.schedule({ times: 2, fault: REFUSED.apns });
    for (const owner of [`v1/${appId}`, `v3/${projectId}`]) {
      const match = { path: `/${owner}/messages:send` };
      hms.faults.schedule({ match, times: 1, fault: REFUSED.hms });
    }
    webPush.faults.schedule({ times: 1, fault: REFUSED.webPush });
    expo.faults.schedule({ times: 1, fault: REFUSED.expo });
  }
});

/** Settings that are refused, with a text in the place of each secret. */
function spoilt(text: string) {
  return {
    apns: { privateKeyPem: text },
    fcm: { serviceAccount: { private_key: text } },
    hms: { clientSecret: text, serviceAccount: { private_key: text } },
    webpush: { privateKey: text },
    expo: { accessToken: `${text} ${text}` },
  };
}

/** Each line of the PEM that holds something private, and that in other notations. */
function canariesOf(name: string, pem: string): Canaries {
  const lines = pem.split('\n').filter((line) => line.length >= 40 && !line.includes('-----'));
  const { d = '' } = createPrivateKey(pem).export({ format: 'jwk' });
  const scalar = Buffer.from(d, 'base64url');
  const inner = lines.join('');
  // The first half of a line may be public, as in a key whose head says what it is.
  return new Map([
    ...lines.map((line, index) => [`${name}, line ${index}`, line.slice(0, 64)] as const),
    [`${name}, without line ends`, inner.slice(40, 120)],
    [`${name}, as JWK`, d.slice(0, 43)],
    [`${name}, in hex`, scalar.subarray(0, 32).toString('hex')],
  ]);
}

function hits(text: Buffer, canaries: Canaries): readonly string[] {
  return [...canaries].filter(([, canary]) => text.includes(canary)).map(([name]) => name);
}
