import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const DOCUMENT = new URL('../../../../docs/identity.md', import.meta.url);

interface Signer {
  assertionFor(appId: string, userId: string, installationId: string): string;
}

test('the ten lines of docs/identity.md sign in', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicJwk = { ...publicKey.export({ format: 'jwk' }) };
  const app = await network.provision({
    identityKeys: [{ keyId: 'key-1', algorithm: 'ES256', publicJwk }],
  });
  const [, code = ''] = /```js\n(import [^]*?)```/.exec(await readFile(DOCUMENT, 'utf8')) ?? [];
  assert.match(code, /assertionFor/);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const source = code.replace('process.env.IDENTITY_KEY_PEM', JSON.stringify(pem));
  const url = `data:text/javascript,${encodeURIComponent(source)}`;
  const signer = (await import(url)) as Signer;
  const phone = new Device(network.url, app, network.issuer);
  const assertion = signer.assertionFor(app.id, 'anna', phone.id);
  const answer = await phone.sync({ user: { id: 'anna', assertion } });
  assertAnswered(answer, 201);
  assert.equal(answer.body['installation']?.['user']?.['id'], 'anna');
});
