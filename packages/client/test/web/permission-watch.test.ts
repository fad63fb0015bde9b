import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { watchPermission } from '../../src/web/permission-watch.ts';

/** What a browser has under `navigator.permissions`, if anything. */
function browserWith(permissions: unknown): void {
  Object.defineProperty(navigator, 'permissions', { value: permissions, configurable: true });
}

describe('the permission of a page', () => {
  afterEach(() => {
    Reflect.deleteProperty(navigator, 'permissions');
  });

  test('is watched, until the page has left', async () => {
    const status = new EventTarget();
    browserWith({ query: async () => status });
    const left = new AbortController();
    let changes = 0;
    await watchPermission(() => (changes += 1), { signal: left.signal });
    status.dispatchEvent(new Event('change'));
    left.abort();
    status.dispatchEvent(new Event('change'));
    assert.equal(changes, 1);
  });

  test('is not, and the page goes on, where the browser does not tell of it', async () => {
    const refuses = { query: () => Promise.reject(new TypeError('no such permission')) };
    for (const permissions of [undefined, refuses]) {
      browserWith(permissions);
      await watchPermission(() => assert.fail(), {});
    }
  });
});
