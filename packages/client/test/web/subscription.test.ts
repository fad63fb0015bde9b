import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TokenAnswer } from '../../src/core/ports.ts';
import type { ContextNews } from '../../src/web/context-channel.ts';
import { subscriptionToken } from '../../src/web/subscription.ts';
import { pushManager } from './push-manager.ts';

const FIRST = Buffer.from('first key').toString('base64url');
const SECOND = Buffer.from('second key').toString('base64url');

describe('the subscription as a token', () => {
  test('is made with the current key, which the token names', async () => {
    const { registration, token } = setUp();
    const answer = await token(FIRST);
    assert.deepEqual(answer, {
      kind: 'token',
      token: {
        provider: 'webpush',
        endpoint: 'https://push.example/1',
        keys: { p256dh: 'public', auth: 'secret' },
        application_server_key: FIRST,
      },
    });
    assert.deepEqual(registration.log, [`subscribe ${FIRST}`]);
  });

  test('stays while the key is current', async () => {
    const { registration, token, news } = setUp();
    const first = await token(FIRST);
    assert.deepEqual(await token(FIRST), first);
    assert.equal(registration.log.length, 1);
    assert.deepEqual(news, ['token']);
  });

  test('S81: is replaced when the key has changed, and the other tabs are told', async () => {
    const { registration, token, news } = setUp();
    await token(FIRST);
    const answer = await token(SECOND);
    assert.equal(endpointOf(answer), 'https://push.example/2');
    assert.deepEqual(registration.log, [
      `subscribe ${FIRST}`,
      'unsubscribe',
      `subscribe ${SECOND}`,
    ]);
    assert.deepEqual(news, ['token', 'token']);
  });

  test('stays where the current key cannot be had', async () => {
    const { token } = setUp();
    await token(FIRST);
    const answer = await token({ kind: 'failed', code: 'no_answer', detail: '' });
    assert.equal(endpointOf(answer), 'https://push.example/1');
  });

  test('is not made without a key, and the answer says why', async () => {
    const { registration, token } = setUp();
    const failed = { kind: 'failed', code: 'vapid_key', detail: '404' } as const;
    assert.deepEqual(await token(failed), failed);
    assert.deepEqual(registration.log, []);
  });

  test('is made once by two tabs that want it at the same time', async () => {
    const { registration, token } = setUp();
    const [one, other] = await Promise.all([token(FIRST), token(FIRST)]);
    assert.deepEqual(one, other);
    assert.deepEqual(registration.log, [`subscribe ${FIRST}`]);
  });
});

function setUp() {
  const news: ContextNews[] = [];
  const channel = {
    announce: (what: ContextNews) => void news.push(what),
    on: () => () => undefined,
    close: () => undefined,
  };
  const registration = pushManager();
  const token = (key: Parameters<typeof subscriptionToken>[1]): Promise<TokenAnswer> =>
    subscriptionToken(registration, key, channel);
  return { registration, token, news };
}

function endpointOf(answer: TokenAnswer): string | null {
  return answer.kind === 'token' && answer.token.provider === 'webpush'
    ? answer.token.endpoint
    : null;
}
