import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { receivePush } from '../../src/worker/receive-push.ts';
import { FORGETFUL } from '../../src/worker/worker-client.ts';
import { CHROME, clientOfAnna, FIREFOX, logScope, pushFor, SAFARI } from './push-events.ts';

describe('a push that comes to a worker', () => {
  test('is shown to whom it is for, with the number for the icon', async () => {
    const { scope, shown, badges } = logScope(FIREFOX);
    await receivePush(scope, clientOfAnna(), pushFor('anna', { badge: 3 }));
    assert.deepEqual(
      shown.map(({ title, options }) => [title, options.body, options.tag]),
      [['Shipped', 'Parcel 12', 't']],
    );
    assert.deepEqual(badges, [3]);
  });

  test('is not reported as displayed where the browser does not show it', async () => {
    const log = logScope(FIREFOX);
    const client = clientOfAnna();
    log.onShow = () => {
      throw new TypeError('no permission');
    };
    await assert.rejects(receivePush(log.scope, client, pushFor('anna')), TypeError);
    assert.deepEqual(client.log, ['received ntf_1']);
  });

  test('shows nothing to anybody else, and has what waits for a network sent', async () => {
    for (const userAgent of [FIREFOX, CHROME]) {
      const { scope, shown } = logScope(userAgent);
      const client = clientOfAnna();
      await receivePush(scope, client, pushFor('ben'));
      assert.deepEqual(shown, []);
      assert.deepEqual(client.log, ['received ntf_1', 'wake']);
    }
  });

  test('goes away again when somebody logs out while it is put on the screen', async () => {
    const log = logScope(FIREFOX);
    const client = clientOfAnna();
    log.onShow = () => client.logout();
    await receivePush(log.scope, client, pushFor('anna', { badge: 3 }));
    assert.deepEqual([log.shown.length, log.closed, log.badges], [1, ['t'], []]);
    // What is for everybody stays.
    await receivePush(log.scope, client, pushFor(undefined, { tag: 'u' }));
    assert.deepEqual(log.closed, ['t']);
  });

  test('calls showNotification in WebKit all the same, and says nothing of its content', async () => {
    const { scope, shown, closed } = logScope(SAFARI);
    await receivePush(scope, clientOfAnna(), pushFor('ben', { image: 'https://shop.example/a' }));
    const options = { tag: 'homing-nothing', silent: true };
    assert.deepEqual(shown, [{ title: 'shop.example', options }]);
    assert.deepEqual(closed, ['homing-nothing']);
  });

  test('that has nothing to see shows nothing, and is not reported as displayed', async () => {
    const { scope, shown } = logScope(CHROME);
    const client = clientOfAnna();
    const data = { order: '12' };
    await receivePush(scope, client, { homing: { id: 'ntf_1' }, tag: 't', data });
    assert.deepEqual(shown, []);
    assert.deepEqual(client.log, ['received ntf_1', 'wake']);
  });

  test('that asks whether pushes reach this installation is answered', async () => {
    const { scope } = logScope(CHROME);
    const client = clientOfAnna();
    await receivePush(scope, client, { homing: { id: 'prb_1', challenge: 'nonce' }, tag: 't' });
    assert.equal(client.log[0], 'received prb_1');
  });

  test('is withheld where nothing is remembered, unless it is for everybody', async () => {
    const { scope, shown } = logScope(FIREFOX);
    await receivePush(scope, FORGETFUL, pushFor('anna'));
    assert.deepEqual(shown, []);
    await receivePush(scope, FORGETFUL, pushFor(undefined));
    assert.equal(shown.length, 1);
  });

  test('is withheld where the store fails, unless it is for everybody', async () => {
    const { scope, shown } = logScope(FIREFOX);
    const failing = { ...clientOfAnna(), received: () => Promise.reject(new Error('storage')) };
    await receivePush(scope, failing, pushFor('anna'));
    assert.deepEqual(shown, []);
    await receivePush(scope, failing, pushFor(undefined));
    assert.equal(shown.length, 1);
  });
});
