import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Push } from '../../src/domain/push.ts';
import { outcomesOf } from '../../src/providers/provider.ts';
import { startExpoNetwork } from './expo-network.ts';
import { expoPushTo, makeExpoPush, soon } from './pushes.ts';

function strangers(count: number): readonly Push[] {
  return Array.from({ length: count }, () =>
    expoPushTo(`ExponentPushToken[sim-other-project:${Math.random().toString(36).slice(2)}]`),
  );
}

describe('a request to Expo with tokens of several projects', () => {
  it('stops a credential that names none of them, and blames no token', async () => {
    await using network = await startExpoNetwork();
    const provider = network.connect({ project: '@parcels/old-name' });
    const own = Array.from({ length: 8 }, () => makeExpoPush());
    const outcomes = await outcomesOf(provider, [...own, ...strangers(1)], soon());
    const expected = { kind: 'auth', code: 'wrong_project', status: 400, scope: 'credential' };
    assert.deepEqual(
      new Set(outcomes.map((outcome) => JSON.stringify(outcome))),
      new Set([JSON.stringify(expected)]),
    );
    assert.equal(network.simulator.journal.counters.accepted, 0);
  });
});
