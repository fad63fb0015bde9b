import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from '../answer.ts';
import { tokens, tokensReached } from '../pushes.ts';
import { articleIsMissing } from './article.ts';
import { Phone } from './phone.ts';
import { importBlock } from './run-block.ts';
import { startShopApp } from './shop-app.ts';

const QUICK_PATTERN = 2;
const SUCCESS = { request: 'POST /register-token', status: 200 };

const options = { skip: articleIsMissing };

test(
  'the quick pattern registers a phone without any credential in development',
  options,
  async () => {
    await using app = await startShopApp('off');
    const phone = new Phone();
    phone.currentUser = { id: 42 };
    phone.hold();

    await importBlock(QUICK_PATTERN);

    assert.deepEqual(app.answers, [SUCCESS]);
    const installation = await app.installationOf(phone);
    assert.equal(installation?.user?.id, '42');
    const send = () => app.network.backEnd.sendToUsers(['42']);
    assert.deepEqual(await tokensReached(app.network, send), tokens({ value: phone.token }));
  },
);

test('the quick pattern at every start of the app makes one installation', options, async () => {
  await using app = await startShopApp('off');
  const phone = new Phone();
  phone.currentUser = { id: 'anna' };
  phone.hold();

  await importBlock(QUICK_PATTERN);
  await importBlock(QUICK_PATTERN);

  assert.deepEqual(app.answers, [SUCCESS, SUCCESS]);
  const { body } = await app.network.backEnd.get('/v1/installations');
  assert.equal((body['data'] as unknown as readonly unknown[]).length, 1);
});

test(
  'a device id that was not awaited registers nothing, and the answer says why',
  options,
  async () => {
    await using app = await startShopApp('off');
    const phone = new Phone();
    phone.currentUser = { id: 'anna' };
    phone.uniqueId = Promise.resolve(phone.deviceId);
    phone.hold();

    await importBlock(QUICK_PATTERN);

    assert.deepEqual(app.answers, [{ ...SUCCESS, status: 422 }]);
    assert.equal(await app.installationOf(phone), null);
    const { body } = await request(`${app.network.url}/register-token`, {
      method: 'POST',
      body: { token: phone.token, userId: 'anna', platform: 'android', deviceId: {} },
    });
    assert.match(JSON.stringify(body['errors']), /await getUniqueId\(\)/);
  },
);
