import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, fcmToken } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';
import { someAtOnce } from '../some-at-once.ts';

const NOTIFICATIONS = 1_000;
/** So many requests are open at once: enough to overlap, few enough for a laptop. */
const CONCURRENCY = 16;

/**
 * Signs in a user on a new device with a network of its own, half of them on iPhones; returns the
 * device's token.
 */
async function enrol(network: Network, index: number): Promise<string> {
  const token = index % 2 === 0 ? apnsToken() : fcmToken();
  assertAnswered(
    await network.device(`10.0.${index >> 8}.${index & 255}`).register(token, `user-${index}`),
    201,
  );
  return token.value;
}

test('a thousand notifications to a thousand users: none lost, none doubled', async () => {
  await using network = await startNetwork();
  const { backEnd, journal } = network;
  const tokens = await someAtOnce(NOTIFICATIONS, CONCURRENCY, (index) => enrol(network, index));

  const ids = await someAtOnce(NOTIFICATIONS, CONCURRENCY, (index) =>
    backEnd.sendToUsers([`user-${index}`], { title: 'Hello', data: { number: String(index) } }),
  );
  await network.drain();

  assert.equal(new Set(ids).size, NOTIFICATIONS);
  // The referee is what the providers received: each token once, and no push under another's id.
  const pushes = acceptedPushes(journal);
  assert.equal(pushes.length, NOTIFICATIONS);
  const received = new Map(pushes.map((push) => [push.token, numberIn(push.body)]));
  assert.deepEqual(
    tokens.map((token) => received.get(token)),
    tokens.map((_, index) => String(index)),
  );
  assert.equal(new Set(pushes.map((push) => push.providerId)).size, NOTIFICATIONS);
  const reports = await someAtOnce(NOTIFICATIONS, CONCURRENCY, (index) =>
    backEnd.report(ids[index] ?? ''),
  );
  for (const report of reports) {
    assertConserved(report);
    assert.equal(report['counts']?.['accepted'], 1);
    assert.equal(report['status'], 'finished');
    assert.equal(report['possible_duplicates'], 0);
  }
});

/** The number in the data of a push, on either provider. */
function numberIn(body: unknown): unknown {
  const text = JSON.stringify(body);
  return /"number":"(\d+)"/.exec(text)?.[1];
}
