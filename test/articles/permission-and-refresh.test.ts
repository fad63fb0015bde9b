import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { fcmToken } from '../device.ts';
import { tokens, tokensReached } from '../pushes.ts';
import { articleIsMissing } from './article.ts';
import { importBlock, runBlock } from './run-block.ts';
import { startShopApp } from './shop-app.ts';

const REQUEST_PERMISSION = 5;
const REGISTER_TOKEN_WITH_BACKEND = 6;
const LISTEN_FOR_REFRESH = 11;
const SUCCESS = { request: 'POST /register-token', status: 200 };
const [DENIED, AUTHORIZED, PROVISIONAL] = [0, 1, 2];

const options = { skip: articleIsMissing };

if (articleIsMissing === false) runBlock(REGISTER_TOKEN_WITH_BACKEND);

async function requestUserPermission(): Promise<void> {
  const block = await importBlock(REQUEST_PERMISSION, 'requestUserPermission');
  const declared = block['requestUserPermission'];
  assert.ok(typeof declared === 'function');
  await declared();
}

test('a user who declines notifications is not registered', options, async () => {
  await using app = await startShopApp('required');
  const phone = app.phoneOf('anna');
  phone.permission = DENIED;
  phone.hold();

  await requestUserPermission();

  assert.deepEqual(app.answers, []);
});

for (const permission of [AUTHORIZED, PROVISIONAL]) {
  test(`a user who gives permission ${permission} is registered once`, options, async () => {
    await using app = await startShopApp('required');
    const phone = app.phoneOf('anna');
    phone.permission = permission ?? DENIED;
    phone.hold();

    await requestUserPermission();

    assert.deepEqual(app.answers, [SUCCESS]);
    assert.equal((await app.installationOf(phone))?.user?.id, 'anna');
  });
}

test(
  'a refreshed token replaces the old one on the same installation and frees it',
  options,
  async () => {
    await using app = await startShopApp('required');
    const { network } = app;
    const phone = app.phoneOf('anna');
    phone.hold();
    await requestUserPermission();
    const before = await app.installationOf(phone);
    const oldToken = phone.token;

    await importBlock(LISTEN_FOR_REFRESH);
    await phone.refreshToken(fcmToken().value);

    assert.deepEqual(app.answers, [SUCCESS, SUCCESS]);
    const after = await app.installationOf(phone);
    assert.equal(after?.id, before?.id);
    assert.equal(after?.user?.id, 'anna');
    const toAnna = () => network.backEnd.sendToUsers(['anna']);
    assert.deepEqual(await tokensReached(network, toAnna), tokens({ value: phone.token }));
    // Nobody holds the old token any more: another phone may have it without a question asked.
    const other = network.device();
    assertAnswered(await other.register({ provider: 'fcm', value: oldToken }, 'ben'), 201);
  },
);
