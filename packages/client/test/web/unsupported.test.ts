import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { installCommands, type CommandFunction } from '../../src/web/command-queue.ts';
import { createPush } from '../../src/web/create-push.ts';
import { createPageCommands } from '../../src/web/page-commands.ts';

const OPTIONS = { baseUrl: 'https://push.example', key: 'hmg_pk_test' };

// Node is a place without push: no page, no service worker, no secure context.
describe('where push is not supported', () => {
  test('a page is told why', () => {
    const push = createPush(OPTIONS);
    assert.equal(push.isSupported(), false);
    assert.equal(push.unsupported, 'insecure_context');
    assert.equal(push.permission(), 'denied');
  });

  test('everything can be called, and nothing rejects', async () => {
    const push = createPush(OPTIONS);
    await push.init();
    await push.login('anna', {
      assertion: () => Promise.reject(new Error('nobody is to be asked')),
    });
    assert.equal(await push.subscribe(), 'denied');
    await push.setTags({ plan: 'pro' });
    await push.subscribeTopic('news');
    await push.logout();
    const { users, lastError } = await push.status();
    assert.deepEqual(users, []);
    assert.deepEqual([lastError?.code, lastError?.detail], ['unsupported', 'insecure_context']);
    assert.equal(push.engine, null);
    push.on('registered', () => assert.fail())();
    await push[Symbol.asyncDispose]();
  });

  test('commands of a page without a build call back all the same', async () => {
    const called: unknown[] = [];
    const page: { pushpad?: CommandFunction } = {};
    const commands = createPageCommands(OPTIONS.baseUrl, assert.ifError);
    installCommands(page, 'pushpad', commands, assert.ifError);
    const done = Promise.withResolvers<void>();
    page.pushpad?.('init', OPTIONS.key);
    page.pushpad?.('unsupported', () => called.push('unsupported'));
    page.pushpad?.('subscribe', (isSubscribed: boolean) => called.push(isSubscribed), { uid: 7 });
    page.pushpad?.('uid', 'anna', 'signature', () => called.push('signed in'));
    page.pushpad?.('unsubscribe', () => called.push('signed out'), { uid: true });
    page.pushpad?.('status', (...status: unknown[]) => called.push(status));
    page.pushpad?.('ready', () => done.resolve());
    await done.promise;
    const status = [false, [], undefined];
    assert.deepEqual(called, ['unsupported', false, 'signed in', 'signed out', status]);
  });
});
