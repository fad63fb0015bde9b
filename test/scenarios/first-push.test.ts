import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apnsToken, fcmToken } from '../device.ts';
import { startNetwork } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';

test('a notification to a user arrives on both of the devices the user is signed in on', async () => {
  await using network = await startNetwork();
  const [iphone, pixel] = [network.device(), network.device()];
  const [iphoneToken, pixelToken] = [apnsToken(), fcmToken()];
  const enrolled = await iphone.register(iphoneToken, 'sara');
  assert.equal(enrolled.status, 201, JSON.stringify(enrolled.body));
  assert.equal((await pixel.register(pixelToken, 'sara')).status, 201);

  const id = await network.backEnd.sendToUsers(['sara']);
  await network.drain();

  const report = await network.backEnd.report(id);
  assert.deepEqual(report['counts'], {
    expected: 2,
    accepted: 2,
    failed: 0,
    expired: 0,
    skipped: 0,
    unknown: 0,
    retrying: 0,
    pending: 0,
  });
  assert.equal(report['status'], 'finished');
  const reached = new Set(acceptedPushes(network.journal).map((push) => push.token));
  assert.deepEqual(reached, new Set([iphoneToken.value, pixelToken.value]));
});
