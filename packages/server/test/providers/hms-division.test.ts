import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Push } from '../../src/domain/push.ts';
import { outcomesOf, type SendOptions } from '../../src/providers/provider.ts';
import { startHmsNetwork } from './hms-network.ts';
import { hmsPushTo, makeMessage, soon } from './pushes.ts';

const EXPIRES_AT = new Date(Date.now() + 3_600_000);

/** Pushes that share a call. */
function alike(count: number): readonly Push[] {
  const message = makeMessage();
  return Array.from({ length: count }, (_, index) =>
    hmsPushTo(`alike-${index}-${'x'.repeat(120)}`, { message, expiresAt: EXPIRES_AT }),
  );
}

function kindsOf(outcomes: readonly Outcome[]): readonly string[] {
  return outcomes.map(({ kind }) => kind);
}

/** Resolves right after the last moment at which something may be started. */
async function timeIsUp({ startBefore }: SendOptions): Promise<void> {
  while (performance.now() <= startBefore) await setTimeout(startBefore - performance.now() + 1);
}

describe('a call to HMS that is refused as a whole', () => {
  it("finds another app's token among fifty, and blames none of the others for it", async () => {
    await using network = await startHmsNetwork();
    for (const place of [37, 0]) {
      // The first time, nothing has been taken yet for the credential.
      const pushes = alike(50);
      const foreign = pushes[place]?.address.token ?? '';
      network.simulator.devices.set(foreign, { kind: 'foreign' });
      const outcomes = await outcomesOf(network.provider, pushes, soon());
      assert.deepEqual(outcomes[place], {
        kind: 'token_mismatch',
        status: 200,
        code: '80300002',
      });
      assert.equal(kindsOf(outcomes).filter((kind) => kind === 'accepted').length, 49);
      network.simulator.devices.set(foreign, { kind: 'live' });
    }
  });

  it("judges another app's token last of all, also beside a single other one", async () => {
    await using network = await startHmsNetwork();
    const [first, second] = alike(2);
    assert(first !== undefined && second !== undefined);
    network.simulator.devices.set(first.address.token, { kind: 'foreign' });
    const outcomes = await outcomesOf(network.provider, [first, second], soon());
    assert.deepEqual(kindsOf(outcomes), ['token_mismatch', 'accepted']);
  });

  it('gets on with a call that is divided too slowly to be sent at once', async () => {
    await using network = await startHmsNetwork();
    await network.provider.prepare(new AbortController().signal);
    const pushes = alike(8);
    network.simulator.devices.set(pushes[3]?.address.token ?? '', { kind: 'foreign' });
    const heard = new Map<number, Outcome>();
    for (let offer = 0; offer < 5 && heard.size < pushes.length; offer += 1) {
      const left = [...pushes.keys()].filter((place) => !heard.has(place));
      // Too short for a second call after the first ones were answered.
      const hold = network.simulator.faults.hold();
      const options = { ...soon(), startBefore: performance.now() + 100 };
      const offered = left.flatMap((place) => pushes[place] ?? []);
      const sent = outcomesOf(network.provider, offered, options);
      await timeIsUp(options);
      hold.release();
      for (const [index, outcome] of (await sent).entries()) {
        if (outcome.kind !== 'not_started') heard.set(left[index] ?? -1, outcome);
      }
    }
    const outcomes = [...pushes.keys()].map((place) => heard.get(place)?.kind);
    assert.deepEqual(
      outcomes,
      pushes.map((_, at) => (at === 3 ? 'token_mismatch' : 'accepted')),
    );
  });
});
