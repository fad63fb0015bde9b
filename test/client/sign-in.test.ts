import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { apnsToken } from '../device.ts';
import { startNetwork } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';
import { ClientPhone } from './client-phone.ts';
import { PhoneSystem } from './phone-system.ts';

const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());

const world = { route: network.url, app: network.app, issuer: network.issuer };

function bodies(phone: ClientPhone): readonly Record<string, unknown>[] {
  return phone.link.exchanges.flatMap(({ request: { body } }) =>
    body === null ? [] : [JSON.parse(body) as Record<string, unknown>],
  );
}

test('the first start registers with one packet, and every further one repeats it', async () => {
  await using phone = new ClientPhone(world);
  await phone.open();
  assert.deepEqual(phone.link.lines, ['PUT']);
  assert.equal(phone.link.exchanges[0]?.status, 201);
  const status = await phone.client.status();
  assert.equal(status.registered, true);
  assert.equal(status.token, 'present');

  await phone.kill();
  await phone.open();
  assert.deepEqual(phone.link.lines, ['PUT', 'PUT']);
  const [first, second] = bodies(phone);
  assert.deepEqual(second, first);
  assert.equal((await phone.client.status()).registered, true);
});

test('a login makes one request that names the user, with the token in it', async () => {
  const system = new PhoneSystem(null);
  await using phone = new ClientPhone(world, { system });
  const client = phone.launch();
  await client.login('anna', { assertion: phone.vouchFor('anna') });
  const started = client.start();
  await started;
  assert.deepEqual(phone.link.lines, [], 'the token is not known yet');
  const token = apnsToken();
  system.refresh(token);
  await client.settled();

  const naming = bodies(phone).filter(({ user }) => user !== null);
  assert.equal(naming.length, 1);
  assert.deepEqual(naming[0]?.['token'], token);
  const send = () => network.backEnd.sendToUsers(['anna']);
  assert.deepEqual(await tokensReached(network, send), tokens(token));
  assert.deepEqual(
    phone.events.map(({ name }) => name),
    ['registered'],
  );
});
