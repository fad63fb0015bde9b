import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { assertAnswered } from '../answered.ts';
import { apnsToken } from '../device.ts';
import { startNetwork } from '../network.ts';

/** Enough that the worker's own loop is caught in the middle of its turn many times. */
const ROUNDS = 60;

test('draining waits for the work that the loop is about to lease, too', async () => {
  await using network = await startNetwork();
  assertAnswered(await network.device().register(apnsToken(), 'sara'), 201);
  const statuses: unknown[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const id = await network.backEnd.sendToUsers(['sara']);
    // Not waiting for anything: the delay shifts the drain against the loop's own turn.
    await setTimeout(round % 12);
    await network.drain();
    statuses.push((await network.backEnd.report(id))['status']);
  }
  assert.equal(statuses.filter((status) => status === 'finished').length, ROUNDS);
});
