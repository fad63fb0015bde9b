import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokens, tokensReached } from '../pushes.ts';
import { articleIsMissing } from './article.ts';
import type { Phone } from './phone.ts';
import { callDeclared, runBlock } from './run-block.ts';
import { startShopApp, type ShopApp } from './shop-app.ts';

const REGISTER_TOKEN_WITH_BACKEND = 6;
const LOGOUT = 12;
const A_SECOND_MS = 1_000;
const AN_HOUR_MS = 3_600_000;

const options = { skip: articleIsMissing };

if (articleIsMissing === false) {
  runBlock(REGISTER_TOKEN_WITH_BACKEND);
  runBlock(LOGOUT);
}

const register = (phone: Phone) => callDeclared('registerTokenWithBackend', phone.token);
const statuses = (app: ShopApp) => app.answers.map(({ status }) => status);

/** Anna's phone, registered with the proof that its app goes on using. */
async function annasPhone(app: ShopApp): Promise<Phone> {
  const { issuer, app: provisioned, clock } = app.network;
  const proof = await issuer.sign(provisioned.id, 'anna');
  const phone = app.phoneOf('anna', { getAuthToken: () => Promise.resolve(proof) });
  phone.hold();
  await register(phone);
  clock.advance(A_SECOND_MS);
  return phone;
}

test(
  'the logout ends the pushes to the user and keeps the phone and its token',
  options,
  async () => {
    await using app = await startShopApp('required');
    const { backEnd } = app.network;
    const phone = await annasPhone(app);
    const before = await app.installationOf(phone);

    await callDeclared('logout');

    assert.deepEqual(statuses(app), [200, 200]);
    assert.equal(phone.storage.has('userId'), false);
    const toAnna = () => backEnd.sendToUsers(['anna']);
    assert.deepEqual(await tokensReached(app.network, toAnna), []);
    const after = await app.installationOf(phone);
    assert.equal(after?.id, before?.id);
    assert.deepEqual([after?.status, after?.token?.status], ['signed_out', 'live']);
    const content = { title: 'We open at nine' };
    const toThePhone = () => backEnd.send({ audience: { installations: [after?.id] }, content });
    assert.deepEqual(await tokensReached(app.network, toThePhone), tokens({ value: phone.token }));
  },
);

test('the logout works with a session that has ended', options, async () => {
  await using app = await startShopApp('required');
  const phone = await annasPhone(app);
  app.network.clock.advance(AN_HOUR_MS);

  await callDeclared('logout');

  assert.deepEqual(statuses(app), [200, 200]);
  assert.equal((await app.installationOf(phone))?.status, 'signed_out');
});

test("nobody signs Anna out with another user's proof", options, async () => {
  await using app = await startShopApp('required');
  const { issuer, app: provisioned } = app.network;
  const phone = await annasPhone(app);
  phone.getAuthToken = () => issuer.sign(provisioned.id, 'mallory');

  await callDeclared('logout');

  assert.deepEqual(statuses(app), [200, 200], 'the answer does not tell');
  assert.equal((await app.installationOf(phone))?.user?.id, 'anna');
});

test('a refresh in the middle of the logout does not sign Anna in again', options, async () => {
  await using app = await startShopApp('required');
  const phone = await annasPhone(app);
  // The listener runs before the app has removed the user id, with a proof from before the logout.
  phone.onDeleteToken = async () => void (await register(phone));

  await callDeclared('logout');

  assert.deepEqual(statuses(app), [200, 200, 401]);
  const toAnna = () => app.network.backEnd.sendToUsers(['anna']);
  assert.deepEqual(await tokensReached(app.network, toAnna), []);
});

test(
  'a proof made after the logout does sign Anna in again: only the app can prevent that',
  options,
  async () => {
    await using app = await startShopApp('required');
    const { clock, issuer, app: provisioned } = app.network;
    const phone = await annasPhone(app);
    phone.onDeleteToken = async () => {
      clock.advance(A_SECOND_MS);
      phone.getAuthToken = () => issuer.sign(provisioned.id, 'anna');
      await register(phone);
    };

    await callDeclared('logout');

    assert.deepEqual(statuses(app), [200, 200, 200]);
    assert.equal((await app.installationOf(phone))?.user?.id, 'anna');
  },
);
