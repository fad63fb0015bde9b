import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deliveryId } from '../../src/domain/delivery-id.ts';

const VERSION_8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOTIFICATION = '0197d0c2-6a0e-7b1c-9d3e-2f6a1c0b9e55';

test('the id of a delivery is the one that a former version gave it', () => {
  const id = deliveryId(NOTIFICATION, { installationRef: 1_234_567, userRef: 8_910 });
  assert.equal(id, '5f4a7d5e-d419-8429-83bc-2e2576046f4d');
});

test('each delivery of a notification has an id of its own', () => {
  const refs = Array.from({ length: 100 }, (_, ref) => ref);
  const ids = refs.flatMap((installationRef) =>
    refs.map((userRef) => deliveryId(NOTIFICATION, { installationRef, userRef })),
  );
  for (const id of ids) assert.match(id, VERSION_8);
  assert.equal(new Set(ids).size, ids.length);
});
