import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { test } from 'node:test';
import { createServiceAccount } from '@homing/simulators';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { fcmToken } from '../device.ts';
import { PROJECT, startNetwork, type Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';

const PATH = '/v1/app/credentials';
const PHONES = 40;
const NOTIFICATIONS = 30;

test('a credential is replaced under load, and no push is lost or doubled', async () => {
  await using network = await startNetwork();
  const { backEnd, journal } = network;
  const users = Array.from({ length: PHONES }, (_, index) => `user-${index}`);
  for (const user of users) {
    assertAnswered(await network.device().register(fcmToken(), user), 201);
  }
  const formerId = await credentialId(network);
  const sent: string[] = [];
  const send = async (count: number): Promise<void> => {
    for (let made = 0; made < count; made += 1) sent.push(await backEnd.sendToUsers(users));
  };

  await send(NOTIFICATIONS / 3);
  await journal.waitFor(() => acceptedPushes(journal).length > 0, { timeoutMs: 30_000 });
  const [added] = await Promise.all([addAnother(network), send(NOTIFICATIONS / 3)]);
  const verified = await backEnd.request('POST', `${PATH}/${added}/verify`);
  assert.equal(verified.body['verified'], true);
  const retire = backEnd.request('DELETE', `${PATH}/${formerId}`);
  const [retired] = await Promise.all([retire, send(NOTIFICATIONS / 3)]);
  assertAnswered(retired, 204);
  await network.drain();

  for (const id of sent) {
    const report = await backEnd.report(id);
    assertConserved(report);
    assert.equal(report['counts']?.['accepted'], PHONES);
    assert.equal(report['possible_duplicates'], 0);
  }
  const pushes = acceptedPushes(journal);
  assert.equal(pushes.length, NOTIFICATIONS * PHONES);
  const credentials = new Set(pushes.map(({ credential }) => credential));
  assert.equal(credentials.size, 2, 'both credentials have had their part');
});

/** Another service account of the same project, as an operator adds it. */
async function addAnother(network: Network): Promise<string> {
  const { fcm, backEnd } = network;
  const account = await createServiceAccount(PROJECT, fcm.tokenUrl);
  const { token_uri: _, ...file } = account.json;
  const serviceAccount = { ...file, client_email: `second-${file.client_email}` };
  const { privateKeyId, publicKeyPem } = account;
  const clientEmail = serviceAccount.client_email;
  const first = network.credentials.fcm?.['serviceAccount'] as typeof serviceAccount;
  fcm.addProject({
    projectId: PROJECT,
    serviceAccounts: [known(first), { clientEmail, privateKeyId, publicKeyPem }],
  });
  const settings = { serviceAccount };
  const answer = await backEnd.request('POST', PATH, { provider: 'fcm', settings });
  assertAnswered(answer, 201);
  return answer.body['id'] as unknown as string;
}

/** The simulator's half of a key file. */
function known(file: {
  readonly client_email: string;
  readonly private_key_id: string;
  readonly private_key: string;
}) {
  const publicKeyPem = createPublicKey(file.private_key)
    .export({ type: 'spki', format: 'pem' })
    .toString();
  return { clientEmail: file.client_email, privateKeyId: file.private_key_id, publicKeyPem };
}

async function credentialId({ backEnd }: Network): Promise<string> {
  const { body } = await backEnd.get(PATH);
  const cards = body['data'] as unknown as readonly { id: string; provider: string }[];
  return cards.find(({ provider }) => provider === 'fcm')?.id ?? '';
}
