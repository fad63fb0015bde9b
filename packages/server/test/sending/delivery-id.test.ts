import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveryIdsOf } from '../../src/domain/delivery-id.ts';

const VERSION_8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOTIFICATION = '0197d0c2-6a0e-7b1c-9d3e-2f6a1c0b9e55';
const REFERENCES = [0, 1, 2, 255, 256, 2 ** 24 - 1, 2 ** 24, 2 ** 48, 2 ** 53 - 1];

test('each delivery of a notification has an id of its own, the same at every attempt', () => {
  const recipients = REFERENCES.flatMap((installationRef) =>
    REFERENCES.map((userRef) => ({ installationRef, userRef })),
  );
  const ids = recipients.map(deliveryIdsOf(NOTIFICATION));
  for (const id of ids) assert.match(id, VERSION_8);
  assert.equal(new Set(ids).size, recipients.length);
  assert.deepEqual(recipients.map(deliveryIdsOf(NOTIFICATION)), ids);
});

test('the same recipient has another id in another notification', () => {
  const recipient = { installationRef: 7, userRef: 3 };
  const other = NOTIFICATION.replace('0197', '0198');
  assert.notEqual(deliveryIdsOf(NOTIFICATION)(recipient), deliveryIdsOf(other)(recipient));
});
