import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readPush } from '../../src/react-native/push-data.ts';

describe('what a push says', () => {
  test('is read from the flat entries of a data message', () => {
    const data = {
      order: '12345',
      homing_id: 'a',
      homing_notification: 'ntf_1',
      homing_rcpt: 'tag',
      homing_url: 'https://shop.example/42',
      homing_actions: '[{"id":"track","title":"Track"},{"id":1}]',
      homing_title: 'Shipped',
      homing_badge: '3',
      homing_tag: 'order-12345',
    };
    assert.deepEqual(readPush(data), {
      envelope: { id: 'ntf_1', rcpt: 'tag' },
      url: 'https://shop.example/42',
      actions: [{ id: 'track', title: 'Track' }],
      data: { order: '12345' },
      drawing: {
        tag: 'order-12345',
        title: 'Shipped',
        body: null,
        image: null,
        badge: 3,
        sound: null,
        actions: [{ id: 'track', title: 'Track' }],
        data,
      },
    });
  });

  test('is read from the object that APNs and Expo hand over, or from its text', () => {
    const homing = { id: 'ntf_1', push: 'a', rcpt: 'tag', challenge: 'nonce' };
    for (const nested of [homing, JSON.stringify(homing)]) {
      assert.deepEqual(readPush({ order: '12345', homing: nested }), {
        envelope: { id: 'ntf_1', rcpt: 'tag', challenge: 'nonce' },
        url: null,
        actions: [],
        data: { order: '12345' },
        drawing: null,
      });
    }
  });

  test('is nothing where it is not of Homing, whatever came', () => {
    for (const data of [undefined, null, 'text', [], {}, { homing: '{' }, { homing: { id: 1 } }]) {
      assert.equal(readPush(data), null);
    }
    fc.assert(
      fc.property(fc.anything(), (data) => {
        readPush(data);
        readPush({ homing: data, homing_notification: data, homing_actions: data });
      }),
    );
  });
});
