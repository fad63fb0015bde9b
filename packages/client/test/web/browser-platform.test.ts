import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TokenInput } from '@homing/protocol';
import type { Platform } from '../../src/core/ports.ts';
import { createBrowserPlatform } from '../../src/web/browser-platform.ts';
import { openContextChannel } from '../../src/web/context-channel.ts';
import { pushManager, type SubscribedRegistration } from './push-manager.ts';

const KEY = Buffer.from('a key').toString('base64url');

/** A tab of the origin, over Node's own BroadcastChannel. */
interface Tab extends Disposable {
  readonly platform: Platform;
  /** The next token that the tab is told of unasked. */
  news(): Promise<TokenInput | null>;
}

function openTab(registration: SubscribedRegistration, answer = keyAnswer(200)): Tab {
  const channel = openContextChannel();
  const settings = { baseUrl: 'https://push.example', key: 'hmg_pk_test' };
  const worker = { existing: async () => registration, required: async () => registration };
  const platform = createBrowserPlatform({ settings, worker, channel }, async () => answer);
  return {
    platform,
    news: () =>
      new Promise((resolve) => {
        const stop = platform.onToken((token) => {
          stop();
          resolve(token);
        });
      }),
    [Symbol.dispose]: () => channel.close(),
  };
}

function keyAnswer(status: number) {
  const body = JSON.stringify(
    status === 200 ? { application_server_key: KEY } : { code: 'not_found', detail: 'no key' },
  );
  return { status, header: () => null, body };
}

describe('tabs of one origin', () => {
  test('learn of the subscription that one of them makes, and of its end', async () => {
    const registration = pushManager();
    using one = openTab(registration);
    using other = openTab(registration);
    const made = other.news();
    const answer = await one.platform.token();
    assert.deepEqual(await made, answer.kind === 'token' ? answer.token : 'a token');
    const ended = other.news();
    await one.platform.dropToken();
    assert.equal(await ended, null);
  });

  test('are told why there is no token', async () => {
    using tab = openTab(pushManager(), keyAnswer(404));
    const failed = { kind: 'failed', code: 'not_found', detail: 'no key' };
    assert.deepEqual(await tab.platform.token(), failed);
  });

  test('are told what the browser says where it refuses', async () => {
    const registration = pushManager();
    registration.pushManager.subscribe = () =>
      Promise.reject(new DOMException('push service error', 'AbortError'));
    using tab = openTab(registration);
    const failed = { kind: 'failed', code: 'AbortError', detail: 'push service error' };
    assert.deepEqual(await tab.platform.token(), failed);
  });
});
