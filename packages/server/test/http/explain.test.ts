import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import {
  DELIVERY_STATES,
  FAILURE_REASONS,
  SKIP_REASONS,
  type DeliveryState,
} from '../../src/domain/delivery.ts';
import { textOf } from './text-of.ts';

const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());
const phone = network.device();
assertAnswered(await phone.register(apnsToken(), 'anna'), 201);
const id = await network.backEnd.sendToUsers(['anna']);
await network.drain();

/** Every reason that the ledger can hold beside a state. */
const REASONS: Readonly<Record<DeliveryState, readonly string[]>> = {
  accepted: [''],
  failed: FAILURE_REASONS,
  expired: ['', ...FAILURE_REASONS],
  skipped: SKIP_REASONS,
  unknown: ['unknown'],
  retrying: ['', ...FAILURE_REASONS],
};

async function explained(state: DeliveryState, reason: string): Promise<string> {
  await network.homing.db`update delivery set state = ${state}, reason = ${reason}, code = null`;
  const answer = await network.backEnd.get(`/v1/notifications/${id}/explain?user_id=anna`);
  assertAnswered(answer, 200);
  const device = answer.body['installations']?.['0'];
  assert.equal(device?.['state'], state);
  return textOf(device?.['sentence']);
}

test('whatever the ledger says of a delivery is explained in a sentence of its own', async (t) => {
  const sentences = new Map<string, string>();
  for (const state of DELIVERY_STATES) {
    for (const reason of REASONS[state]) {
      const sentence = await explained(state, reason);
      assert.match(sentence, /^[A-Z].*\.$/, `${state} ${reason}`);
      assert.doesNotMatch(sentence, /undefined|null|for the reason/, `${state} ${reason}`);
      sentences.set(sentence, `${state} ${reason}`);
    }
  }
  // An expired one says that it expired; every other pair has words that no other pair has.
  const pairs = Object.entries(REASONS).flatMap(([state, reasons]) =>
    state === 'expired' ? [state] : reasons,
  );
  assert.equal(sentences.size, pairs.length);
  t.diagnostic(`${pairs.length} sentences`);
});

test('a reason that this version does not know is shown as it stands', async () => {
  assert.match(await explained('skipped', 'full_moon'), /for the reason "full_moon"/);
});
