import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { notificationOf, shownPush, urlOf } from '../../src/worker/shown-push.ts';
import { pushFor } from './push-events.ts';

describe('what a notification is made of', () => {
  before(() => {
    // Addresses are read against the worker's own origin.
    Object.assign(globalThis, { location: { origin: 'https://shop.example' } });
  });

  test('takes the content, and what overrides put beside it', () => {
    const payload = pushFor(undefined, {
      image: 'https://shop.example/parcel.png',
      icon: 'https://shop.example/icon.png',
      badge: 'https://shop.example/badge.png',
      renotify: true,
      data: { order: '12' },
      actions: [{ id: 'track', title: 'Track', url: 'https://shop.example/track' }],
    });
    const { title, options } = notificationOf(payload, 'shop.example');
    assert.equal(title, 'Shipped');
    assert.deepEqual(JSON.parse(JSON.stringify(options)), {
      body: 'Parcel 12',
      tag: 't',
      image: 'https://shop.example/parcel.png',
      icon: 'https://shop.example/icon.png',
      badge: 'https://shop.example/badge.png',
      renotify: true,
      actions: [{ action: 'track', title: 'Track' }],
      data: {
        order: '12',
        homing: { envelope: { id: 'ntf_1' }, urls: { track: 'https://shop.example/track' } },
      },
    });
  });

  test('has the name of the site where the content has no title', () => {
    const { title: _title, ...untitled } = pushFor(undefined);
    assert.equal(notificationOf(untitled, 'shop.example').title, 'shop.example');
  });

  test('remembers its push, and that of others is not ours', () => {
    const { options } = notificationOf(pushFor('anna'), '');
    const envelope = { id: 'ntf_1', rcpt: 'anna' };
    assert.deepEqual(shownPush(asShown(options))?.envelope, envelope);
    for (const data of [null, undefined, {}, { homing: {} }, 'text']) {
      assert.equal(shownPush(asShown({ data })), null);
    }
  });

  test('leads where its button says, else where it says itself, and only to pages', () => {
    const track = { id: 'track', title: 'Track', url: '/track' };
    const payload = pushFor(undefined, { url: '/orders', actions: [track] });
    const shown = shownPush(asShown(notificationOf(payload, '').options));
    assert.ok(shown !== null);
    assert.equal(urlOf(shown, 'track'), 'https://shop.example/track');
    assert.equal(urlOf(shown, 'other'), 'https://shop.example/orders');
    assert.equal(urlOf(shown, ''), 'https://shop.example/orders');
    const { options } = notificationOf(pushFor(undefined), '');
    assert.equal(urlOf(shownPush(asShown(options)) ?? shown, ''), null);
    for (const url of ['javascript:alert(1)', 'data:text/html,x', 'https://']) {
      const { options } = notificationOf(pushFor(undefined, { url }), '');
      const shown = shownPush(asShown(options));
      assert.equal(shown && urlOf(shown, ''), null, url);
    }
  });
});

function asShown(options: NotificationOptions): Notification {
  return options as Notification;
}
