import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createCertificateAuthority } from '@homing/simulators';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { apnsToken, Device } from '../device.ts';
import { startNetwork, TOPIC } from '../network.ts';

const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());

/** An app that reaches APNs by a push certificate of some authority. */
async function appWith(authority = network.authority) {
  const environments = ['production'] as const;
  const { certificatePem, keyPem } = await authority.issueApnsClient({
    topics: [TOPIC],
    environments,
  });
  const apns = { certificatePem, privateKeyPem: keyPem };
  const app = await network.provision({ credentials: { apns } });
  const token = apnsToken();
  const phone = new Device(network.url, app, network.issuer);
  assertAnswered(await phone.register(token, 'anna'), 201);
  return { backEnd: new BackEnd(network.url, app.secretKey), phone, token };
}

test('a push certificate authenticates the connection, and no provider token is sent', async () => {
  const { backEnd, token } = await appWith();
  const id = await backEnd.sendToUsers(['anna']);
  await network.drain();
  assert.equal((await backEnd.report(id))['counts']?.['accepted'], 1);
  const [entry] = network.journal.entries({ token: token.value });
  assert.equal(entry?.credential, null);
  assert.equal(entry?.headers['apns-topic'], TOPIC);
});

test('a certificate that Apple does not know stops the lane and touches no token', async () => {
  const { backEnd, phone } = await appWith(await createCertificateAuthority());
  const id = await backEnd.sendToUsers(['anna']);
  await network.drain();
  assert.equal((await backEnd.report(id))['counts']?.['pending'], 1);
  assert.equal((await backEnd.installation(phone.id))['status'], 'active');
  const alerts = await backEnd.get('/v1/alerts?open=true');
  const [alert] = alerts.body['data'] as unknown as readonly { readonly detail: object }[];
  assert.deepEqual(alert?.detail, { provider: 'apns', project: TOPIC, code: 'BadCertificate' });
});
