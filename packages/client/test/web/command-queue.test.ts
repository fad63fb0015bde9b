import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  installCommands,
  type CommandFunction,
  type Commands,
} from '../../src/web/command-queue.ts';

/** A page with the snippet: calls wait in `q` until the script has loaded. */
function pageWithSnippet(): { pushpad: CommandFunction } {
  const q: unknown[][] = [];
  const pushpad = Object.assign((...call: readonly unknown[]) => void q.push([...call]), { q });
  return { pushpad };
}

describe('the command queue of a page', () => {
  test('runs what was called before the script had loaded, in order, then what is called', async () => {
    const ran: string[] = [];
    const done = Promise.withResolvers<void>();
    const commands: Commands = {
      async slow(what: string) {
        await Promise.resolve();
        ran.push(what);
      },
      fast(what: string) {
        ran.push(what);
      },
      last: () => done.resolve(),
    };
    const page = pageWithSnippet();
    page.pushpad('slow', 'first');
    page.pushpad('fast', 'second');
    installCommands(page, 'pushpad', commands, assert.ifError);
    page.pushpad('fast', 'third');
    page.pushpad('last');
    await done.promise;
    assert.deepEqual(ran, ['first', 'second', 'third']);
  });

  test('reports a command that fails, or that there is none of, and goes on', async () => {
    const reported: unknown[] = [];
    const failure = new Error('a callback of the page throws');
    const done = Promise.withResolvers<void>();
    const page: { homing?: CommandFunction } = {};
    const commands = {
      fail() {
        throw failure;
      },
      last: () => done.resolve(),
    };
    installCommands(page, 'homing', commands, (error) => void reported.push(error));
    page.homing?.('fail');
    page.homing?.('subscirbe');
    page.homing?.('last');
    await done.promise;
    assert.equal(reported[0], failure);
    assert.match(String(reported[1]), /no command "subscirbe"/);
  });
});
