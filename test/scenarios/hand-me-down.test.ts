import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { apnsToken, fcmToken, type Device } from '../device.ts';
import { fingerprint } from '../fingerprint.ts';
import { startNetwork, type Network } from '../network.ts';
import { tokens, tokensReached } from '../pushes.ts';

const A_MINUTE_MS = 60_000;

/** A father's phone, and the same phone after the app was installed anew for his daughter. */
async function handDown(network: Network) {
  const [father, daughter] = [network.device(), network.device()];
  const token = apnsToken();
  assertAnswered(await father.register(token, 'father'), 201);
  return { father, daughter, token };
}

async function assertThatTheDaughterOwns(
  network: Network,
  daughter: Device,
  token: { readonly value: string },
): Promise<void> {
  const { backEnd } = network;
  const toFather = () => backEnd.sendToUsers(['father']);
  const toDaughter = () => backEnd.sendToUsers(['daughter']);
  assert.deepEqual(await tokensReached(network, toFather), []);
  assert.deepEqual(await tokensReached(network, toDaughter), tokens(token));
  assert.equal((await backEnd.installation(daughter.id))['status'], 'active');
}

test('a token that comes with a newer sign-in moves from the father to the daughter', async () => {
  await using network = await startNetwork();
  const { father, daughter, token } = await handDown(network);
  network.clock.advance(A_MINUTE_MS);

  assertAnswered(await daughter.register(token, 'daughter'), 201);

  await assertThatTheDaughterOwns(network, daughter, token);
  assert.deepEqual(await network.backEnd.timeline(father.id), [
    'The installation was seen for the first time.',
    `Token ${fingerprint(token)} was attached.`,
    'User father signed in.',
    `Token ${fingerprint(token)} moved to another installation.`,
    'Not sent: the device has no token.',
  ]);
});

test('a token without a newer sign-in moves only when the claimant echoes the nonce', async () => {
  await using network = await startNetwork();
  const { daughter, father, token } = await handDown(network);

  const held = await daughter.sync({ token });
  assertAnswered(held, 409);
  assert.equal(held.body['code'], 'token_held');
  const toFather = () => network.backEnd.sendToUsers(['father']);
  assert.deepEqual(await tokensReached(network, toFather), tokens(token));

  const takeover = held.body['nonce'];
  assertAnswered(await daughter.sync({ seq: daughter.seq, token, takeover }), 201);
  assert.deepEqual(await tokensReached(network, toFather), []);
  assert.equal((await network.backEnd.installation(father.id))['token'], null);

  assertAnswered(await daughter.signIn('daughter'), 200);
  await assertThatTheDaughterOwns(network, daughter, token);
});

test('an old proof, and a nonce of another phone or time or none, move nothing', async () => {
  await using network = await startNetwork();
  const { daughter, token } = await handDown(network);
  const other = network.device();
  const issuedAt = new Date(network.clock.now().getTime() - A_MINUTE_MS);
  const assertion = await network.issuer.sign(network.app.id, 'daughter', {
    installationId: daughter.id,
    issuedAt,
  });

  const held = await daughter.sync({ token, user: { id: 'daughter', assertion } });
  assertAnswered(held, 409);
  const takeover = held.body['nonce'];
  assertAnswered(await other.sync({ token, takeover }), 409);
  assertAnswered(await daughter.sync({ token, takeover: 'kx3z.bm9uY2U' }), 409);
  network.clock.advance(A_MINUTE_MS + 1_000);
  assertAnswered(await daughter.sync({ token, takeover }), 409);

  const toFather = () => network.backEnd.sendToUsers(['father']);
  assert.deepEqual(await tokensReached(network, toFather), tokens(token));
});

test('a father who comes back to his phone gets his pushes again', async () => {
  await using network = await startNetwork();
  const { father, daughter, token } = await handDown(network);
  network.clock.advance(A_MINUTE_MS);
  assertAnswered(await daughter.register(token, 'daughter'), 201);
  network.clock.advance(A_MINUTE_MS);

  // He is still signed in there, so his app reports the token without a proof and has to echo.
  const held = await father.sync({ token });
  assertAnswered(held, 409);
  const takeover = held.body['nonce'];
  assertAnswered(await father.sync({ seq: father.seq, token, takeover }), 200);

  const toBoth = () => network.backEnd.sendToUsers(['father', 'daughter']);
  assert.deepEqual(await tokensReached(network, toBoth), tokens(token));
  const toDaughter = () => network.backEnd.sendToUsers(['daughter']);
  assert.deepEqual(await tokensReached(network, toDaughter), []);
});

test('a user with a phone and a tablet gets one push on each, none on a former phone', async () => {
  await using network = await startNetwork();
  const [phone, tablet, former] = [network.device(), network.device(), network.device()];
  const [phoneToken, tabletToken] = [apnsToken(), fcmToken()];
  assertAnswered(await phone.register(phoneToken, 'father'), 201);
  assertAnswered(await tablet.register(tabletToken, 'father'), 201);
  assertAnswered(await former.register(fcmToken(), 'father'), 201);
  assertAnswered(await former.signOut(), 204);

  const send = () => network.backEnd.sendToUsers(['father']);
  assert.deepEqual(await tokensReached(network, send), tokens(phoneToken, tabletToken));
});
