import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Permission } from '../../src/core/ports.ts';
import { installCommands, type CommandFunction } from '../../src/web/command-queue.ts';
import { commandsOf } from '../../src/web/page-commands.ts';
import { createUnsupportedPush } from '../../src/web/unsupported-push.ts';

describe('the commands of a page without a build', () => {
  test('wait for no person who has not answered yet', async () => {
    const log: unknown[] = [];
    const { promise: asked, resolve: answer } = Promise.withResolvers<Permission>();
    const { promise: told, resolve: tell } = Promise.withResolvers<void>();
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const push = {
      ...createUnsupportedPush('no_push'),
      subscribe: () => asked,
      login: async (userId: string) => void log.push(`login ${userId}`),
      logout: async () => void log.push('logout'),
    };
    const page: { homing?: CommandFunction } = {};
    installCommands(page, 'homing', commandsOf(push, assert.ifError), assert.ifError);
    const subscribed = (isSubscribed: boolean): void => {
      log.push(isSubscribed);
      tell();
    };
    page.homing?.('subscribe', subscribed, { uid: 'anna' });
    page.homing?.('unsubscribe', leave, { uid: true });
    await left;
    assert.deepEqual(log, ['login anna', 'logout']);
    answer('granted');
    await told;
    assert.deepEqual(log, ['login anna', 'logout', true]);
  });

  test('report why a page could not subscribe', async () => {
    const { promise: reported, resolve: report } = Promise.withResolvers<unknown>();
    const failure = new Error('storage: the disk is full');
    const push = {
      ...createUnsupportedPush('no_push'),
      subscribe: () => Promise.reject(failure),
    };
    const page: { homing?: CommandFunction } = {};
    installCommands(page, 'homing', commandsOf(push, report), assert.ifError);
    page.homing?.('subscribe', () => assert.fail('nobody is told of a subscription'));
    assert.equal(await reported, failure);
  });
});
