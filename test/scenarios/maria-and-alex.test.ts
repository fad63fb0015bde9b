import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../answer.ts';
import { assertAnswered } from '../answered.ts';
import { apnsToken, fcmToken } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import { startNetwork } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

test('Maria takes over the family tablet from Alex in the packet with its new token', async () => {
  await using network = await startNetwork();
  const { backEnd } = network;
  const [tablet, phoneOfAlex] = [network.device(), network.device()];
  const [oldToken, newToken, phoneToken] = [fcmToken(), fcmToken(), apnsToken()];
  assertAnswered(await tablet.register(oldToken, 'alex'), 201);
  assertAnswered(await phoneOfAlex.register(phoneToken, 'alex'), 201);
  const toAlex = () => backEnd.sendToUsers(['alex']);
  assert.deepEqual(await tokensReached(network, toAlex), tokens(oldToken, phoneToken));

  assertAnswered(await tablet.register(newToken, 'maria'), 200);

  assert.deepEqual(await tokensReached(network, toAlex), tokens(phoneToken));
  const toMaria = () => backEnd.sendToUsers(['maria']);
  assert.deepEqual(await tokensReached(network, toMaria), tokens(newToken));
  assert.deepEqual(await backEnd.timeline(tablet.id), [
    'The installation was seen for the first time.',
    `Token ${fingerprint(oldToken)} was attached.`,
    'User alex signed in.',
    'Accepted by FCM. The owner of the device changed after it was accepted.',
    `Token ${fingerprint(oldToken)} was replaced by token ${fingerprint(newToken)}.`,
    'User alex was signed out because somebody else signed in.',
    'User maria signed in.',
    'Accepted by FCM.',
  ]);
});

test('the same holds for a tablet that speaks the simple routes', async () => {
  await using network = await startNetwork();
  const { app, backEnd, issuer, url } = network;
  const register = async (userId: string, token: string) => {
    const authorization = `Bearer ${await issuer.sign(app.id, userId)}`;
    const body = { token, userId, platform: 'android', deviceId: 'family-tablet' };
    const options = { method: 'POST', headers: { authorization }, body };
    assertAnswered(await request(`${url}/register-token`, options), 200);
  };
  const [oldToken, newToken] = [fcmToken(), fcmToken()];
  await register('alex', oldToken.value);
  await register('maria', newToken.value);

  assert.deepEqual(await tokensReached(network, () => backEnd.sendToUsers(['alex'])), []);
  const toMaria = () => backEnd.sendToUsers(['maria']);
  assert.deepEqual(await tokensReached(network, toMaria), tokens(newToken));
});

test('Alex gets nothing on the tablet even when Maria could not be verified', async () => {
  await using network = await startNetwork();
  const { backEnd } = network;
  const tablet = network.device();
  const [oldToken, newToken] = [fcmToken(), fcmToken()];
  assertAnswered(await tablet.register(oldToken, 'alex'), 201);

  const assertion = await network.device().assertion('maria');
  const refused = await tablet.sync({ token: newToken, user: { id: 'maria', assertion } });
  assertAnswered(refused, 401);
  assert.equal(refused.body['code'], 'assertion_invalid');

  const send = () => backEnd.sendToUsers(['alex', 'maria']);
  assert.deepEqual(await tokensReached(network, send), []);
  // The token half of the packet was applied: the tablet is reachable for what is not personal.
  const toTablet = () =>
    backEnd.send({ audience: { installations: [tablet.id] }, content: { title: 'Hello' } });
  assert.deepEqual(await tokensReached(network, toTablet), tokens(newToken));
});

test('a message for Alex that was accepted before the switch is not sent after it', async () => {
  await using network = await startNetwork();
  const { backEnd, clock, fcm } = network;
  const tablet = network.device();
  const token = fcmToken();
  assertAnswered(await tablet.register(token, 'alex'), 201);
  fcm.faults.schedule({
    times: 1,
    fault: { kind: 'answer', status: 503, reason: 'UNAVAILABLE', retryAfterSeconds: 30 },
  });
  const forAlex = await backEnd.sendToUsers(['alex']);
  await network.drain();
  assert.equal((await backEnd.report(forAlex))['counts']?.['retrying'], 1);

  assertAnswered(await tablet.signIn('maria'), 200);
  const retry = async (): Promise<void> => clock.advance(31_000);
  assert.deepEqual(await tokensReached(network, retry), []);

  assert.deepEqual((await backEnd.report(forAlex))['reasons'], { skipped: { owner_changed: 1 } });
});
