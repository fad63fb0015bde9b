import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { EXPO_SEND_PATH } from '@homing/simulators';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Push } from '../../src/domain/push.ts';
import { outcomesOf } from '../../src/providers/provider.ts';
import { EXPO_PROJECT, startExpoNetwork, type ExpoNetwork } from './expo-network.ts';
import { expoPushTo, makeExpoPush, soon } from './pushes.ts';

function strangers(count: number): readonly Push[] {
  return Array.from({ length: count }, () =>
    expoPushTo(`ExponentPushToken[sim-other-project:${Math.random().toString(36).slice(2)}]`),
  );
}

function kindsOf(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map(({ kind }) => kind);
}

function nothingStarted(count: number): readonly string[] {
  return Array.from({ length: count }, () => 'not_started');
}

/** Offers pushes so that what is not sent before the first answers is too late. */
async function offerLate(
  { provider, simulator }: ExpoNetwork,
  pushes: readonly Push[],
): Promise<readonly string[]> {
  using hold = simulator.faults.hold();
  const options = { ...soon(), startBefore: performance.now() + 100 };
  const offered = outcomesOf(provider, pushes, options);
  while (performance.now() <= options.startBefore) {
    await setTimeout(Math.max(1, options.startBefore - performance.now()));
  }
  hold.release();
  return kindsOf(await offered);
}

function requestsOf({ simulator }: ExpoNetwork): number {
  const entries = simulator.journal.entries().filter(({ path }) => path === EXPO_SEND_PATH);
  return new Set(
    entries.map(({ connectionId, atMs, bodyBytes }) => [connectionId, atMs, bodyBytes].join()),
  ).size;
}

describe('a request to Expo with tokens of several projects', () => {
  it('is divided before it is sent, once it is known whose the tokens are', async () => {
    await using network = await startExpoNetwork();
    const pushes = [...strangers(2), makeExpoPush(), makeExpoPush()];
    assert.deepEqual(await offerLate(network, pushes), nothingStarted(4));
    const outcomes = await outcomesOf(network.provider, pushes, soon());
    assert.deepEqual(
      kindsOf(outcomes),
      Array.from({ length: 4 }, () => 'accepted'),
    );
    // The one that was refused, and one for each project.
    assert.equal(requestsOf(network), 3);
  });

  it('is not sent to tokens that are known to be of another project', async () => {
    await using network = await startExpoNetwork();
    const provider = network.connect({ project: EXPO_PROJECT });
    const [stranger] = strangers(1);
    assert(stranger !== undefined);
    const mismatches = async (pushes: readonly Push[]): Promise<readonly string[]> =>
      kindsOf(await outcomesOf(provider, pushes, soon()));
    assert.deepEqual(await mismatches([stranger, makeExpoPush()]), ['token_mismatch', 'accepted']);
    assert.deepEqual(await mismatches([stranger, makeExpoPush()]), ['token_mismatch', 'accepted']);
    assert.equal(requestsOf(network), 3);
  });

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

describe('a request to Expo that is refused for one of its messages', () => {
  it('is halved in the end, also if each half comes too late to be sent at once', async () => {
    await using network = await startExpoNetwork();
    const invalid = expoPushTo('ExponentPushToken[sim-invalid:1]');
    const pushes = [makeExpoPush(), makeExpoPush(), makeExpoPush(), invalid];
    assert.deepEqual(await offerLate(network, pushes), nothingStarted(4));
    const second = await offerLate(network, pushes);
    assert.deepEqual(second, ['accepted', 'accepted', 'not_started', 'not_started']);
    const third = await offerLate(network, pushes.slice(2));
    assert.deepEqual(third, ['accepted', 'payload']);
  });
});
