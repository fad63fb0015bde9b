import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fcmToken } from '../device.ts';
import { kotlinIsMissing } from '../kotlin-command.ts';
import { startNetwork } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';
import { API_HOST, API_NAMES, serveAsApiHost } from './api-host.ts';
import { articleIsMissing, readBlock } from './article.ts';

const MAIN_ACTIVITY = 4;
const MESSAGING_SERVICE = 10;
const STUBS = fileURLToPath(new URL('kotlin/', import.meta.url));
const STORE_PASSWORD = 'changeit';

const run = promisify(execFile);

const options = { skip: articleIsMissing || kotlinIsMissing() };

/** Compiles the article's two classes as they are, with the stubs beside them. */
async function compile(directory: string): Promise<string> {
  const [activity, service] = [join(directory, 'activity.kt'), join(directory, 'service.kt')];
  await writeFile(activity, readBlock(MAIN_ACTIVITY));
  await writeFile(service, readBlock(MESSAGING_SERVICE));
  const jar = join(directory, 'app.jar');
  await run('kotlinc', [activity, service, STUBS, '-include-runtime', '-d', jar]);
  return jar;
}

/** Options that make a Java machine find the API's host here and trust its authority. */
async function trust(directory: string, authorityPem: string): Promise<readonly string[]> {
  const [pem, store] = [join(directory, 'ca.pem'), join(directory, 'ca.p12')];
  const hosts = join(directory, 'hosts');
  await writeFile(pem, authorityPem);
  await writeFile(hosts, `127.0.0.1 ${API_HOST}\n`);
  const storeOptions = ['-keystore', store, '-storetype', 'PKCS12', '-storepass', STORE_PASSWORD];
  await run('keytool', ['-importcert', '-noprompt', '-alias', 'ca', '-file', pem, ...storeOptions]);
  return [
    `-Djdk.net.hosts.file=${hosts}`,
    `-Djavax.net.ssl.trustStore=${store}`,
    `-Djavax.net.ssl.trustStorePassword=${STORE_PASSWORD}`,
  ];
}

test("the article's Kotlin compiles as it is and registers an Android phone", options, async () => {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(join(tmpdir(), 'homing-kotlin-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  const network = stack.use(await startNetwork({ tls: API_NAMES }));
  stack.use(serveAsApiHost(network));
  const jar = await compile(directory);
  const machine = await trust(directory, network.authority.certificatePem);
  const token = fcmToken();
  const env = {
    PATH: process.env['PATH'],
    TOKEN: token.value,
    BEARER: await network.issuer.sign(network.app.id, 'anna'),
    API_URL: `https://${API_HOST}:${new URL(network.url).port}`,
  };

  const { stdout } = await run('java', [...machine, '-jar', jar], { env });

  assert.equal(stdout, '200 {"success":true}\n');
  const send = () => network.backEnd.sendToUsers(['anna']);
  assert.deepEqual(await tokensReached(network, send), tokens(token));
});
