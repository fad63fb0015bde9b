import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { apnsToken } from '../device.ts';
import { startNetwork } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const HOUR_MS = 3_600_000;

test('two server processes are one registry: each sees at once what the other has written', async () => {
  await using network = await startNetwork({ processes: 2 });
  const [second] = network.servers;
  assert(second !== undefined);
  const token = apnsToken();
  const phone = network.device('10.0.0.1', () => second.url);
  assertAnswered(await phone.register(token, 'sara'), 201);
  assert.equal((await network.backEnd.installation(phone.id))['user']?.['id'], 'sara');

  const send = () => network.backEndAt(() => network.url).sendToUsers(['sara']);
  assert.deepEqual(await tokensReached(network, send), tokens(token));

  assertAnswered(await phone.signOut(), 204);
  assert.deepEqual(await tokensReached(network, send), []);
});

test('the clocks of all servers move together', async () => {
  await using network = await startNetwork({ processes: 2 });
  const [second] = network.servers;
  assert(second !== undefined);
  await network.clock.advance(HOUR_MS);

  // An assertion of now would be one of the future to a server whose clock stood still.
  const phone = network.device('10.0.0.1', () => second.url);
  assertAnswered(await phone.register(apnsToken(), 'sara'), 201);
});

test('a server that is killed serves nobody, and again once it has been started anew', async () => {
  await using network = await startNetwork({ processes: 2 });
  const [second] = network.servers;
  assert(second !== undefined);
  const phone = network.device('10.0.0.1', () => second.url);
  const formerUrl = second.url;
  assertAnswered(await phone.register(apnsToken(), 'sara'), 201);

  await second.kill();
  assert.equal(second.isRunning, false);
  await assert.rejects(fetch(`${formerUrl}/health/live`));

  await second.start();
  assertAnswered(await phone.signOut(), 204);
});
