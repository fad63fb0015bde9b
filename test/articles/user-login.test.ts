import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokensReached } from '../pushes.ts';
import { articleIsMissing } from './article.ts';
import { callDeclared, runBlock } from './run-block.ts';
import { startShopApp } from './shop-app.ts';

const REGISTER_TOKEN_WITH_BACKEND = 6;
const ON_USER_LOGIN = 16;

const options = { skip: articleIsMissing };

if (articleIsMissing === false) {
  runBlock(REGISTER_TOKEN_WITH_BACKEND);
  runBlock(ON_USER_LOGIN);
}

test('the login registers the user that the app has stored', options, async () => {
  await using app = await startShopApp('required');
  const phone = app.phoneOf('ben');
  phone.hold();

  await callDeclared('onUserLogin', 'ben');

  assert.deepEqual(
    app.answers.map(({ status }) => status),
    [200],
  );
  assert.equal((await app.installationOf(phone))?.user?.id, 'ben');
});

test("Ben's login that still names Anna attaches nobody and signs Anna out", options, async () => {
  await using app = await startShopApp('required');
  const { backEnd, issuer, app: provisioned } = app.network;
  const phone = app.phoneOf('anna');
  phone.hold();
  await callDeclared('registerTokenWithBackend', phone.token);

  // The function drops its second argument, and the stored user id is still that of Anna.
  phone.getAuthToken = () => issuer.sign(provisioned.id, 'ben');
  await callDeclared('onUserLogin', 'ben');

  assert.deepEqual(
    app.answers.map(({ status }) => status),
    [200, 403],
  );
  const installation = await app.installationOf(phone);
  assert.equal(installation?.user, null);
  const toEither = () => backEnd.sendToUsers(['anna', 'ben']);
  assert.deepEqual(await tokensReached(app.network, toEither), []);
});
