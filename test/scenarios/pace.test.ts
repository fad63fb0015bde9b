import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { AnswerBody } from '../answer.ts';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken } from '../device.ts';
import { startNetwork, type Network } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';

const PHONES = 80;
const PER_SECOND = 20;
/** By the promise of the API: whatever is asked of a notification is so everywhere after this. */
const EFFECT_MS = 2_000;
const DEADLINE_MS = 20_000;
const PACED = { options: { pace: { per_second: PER_SECOND }, lane: 'bulk' } } as const;

/** Two workers, each a process, and one user with enough phones to see a pace by. */
describe('the pace of a notification', () => {
  let network: Network;

  before(async () => {
    network = await startNetwork({ processes: 2 });
    const phones = Array.from({ length: PHONES }, () => network.device());
    await Promise.all(
      phones.map(async (phone) => assertAnswered(await phone.register(apnsToken(), 'sara'), 201)),
    );
  });

  after(() => network[Symbol.asyncDispose]());

  /** Sends at the pace, and resolves with the first push. */
  async function sendPaced(): Promise<{ readonly id: string; readonly before: number }> {
    const { received } = network.journal.counters;
    const id = await network.backEnd.sendToUsers(['sara'], undefined, PACED);
    await arrived(received + 1);
    return { id, before: received };
  }

  async function arrived(sequence: number): Promise<void> {
    await network.journal.waitFor((entry) => entry.sequence >= sequence, {
      timeoutMs: DEADLINE_MS,
    });
  }

  async function ask(id: string, wish: 'pause' | 'resume' | 'cancel'): Promise<AnswerBody> {
    const answer = await network.backEnd.request('POST', `/v1/notifications/${id}/${wish}`);
    assertAnswered(answer, 200);
    return answer.body;
  }

  function arrivals(afterSequence: number): readonly number[] {
    return acceptedPushes(network.journal, afterSequence).map((entry) => entry.atMs);
  }

  test('is kept by two workers together, without bursts', async () => {
    const { id, before: start } = await sendPaced();
    await network.drain();
    const times = arrivals(start);
    assert.equal(times.length, PHONES);
    // In any stretch of time as many as the pace allows, and a second's worth more.
    for (const [first, from] of times.entries()) {
      for (const [count, to] of times.slice(first).entries()) {
        const allowed = PER_SECOND * ((to - from) / 1_000 + 1);
        assert.ok(count + 1 <= allowed, `${count + 1} pushes within ${to - from} ms`);
      }
    }
    const report = await network.backEnd.report(id);
    assertConserved(report);
    assert.equal(report['counts']?.['accepted'], PHONES);
  });

  test('ends within two seconds of a pause, and goes on after it', async () => {
    const { id, before: start } = await sendPaced();
    assert.deepEqual(await ask(id, 'pause'), { id, status: 'paused' });
    const pausedAtMs = network.clock.now().getTime();
    assert.equal((await ask(id, 'pause'))['status'], 'paused', 'it may be repeated');
    await network.drain();
    const paused = await network.backEnd.report(id);
    assertConserved(paused);
    assert.equal(paused['status'], 'paused');
    assert.ok(Number(paused['counts']?.['pending']) > 0);
    assert.ok(arrivals(start).every((at) => at <= pausedAtMs + EFFECT_MS));

    // Hours later still nothing has gone out, and no worker is busy with it.
    await network.clock.advance(3_600_000);
    await network.drain();
    const { received } = network.journal.counters;
    assert.equal(arrivals(start).length, paused['counts']?.['accepted']);

    assert.equal((await ask(id, 'resume'))['status'], 'sending');
    const resumedAtMs = network.clock.now().getTime();
    await arrived(received + 1);
    assert.ok((arrivals(received)[0] ?? Infinity) <= resumedAtMs + EFFECT_MS);
    await network.drain();
    const report = await network.backEnd.report(id);
    assertConserved(report);
    assert.deepEqual(
      [report['status'], report['counts']?.['accepted'], report['possible_duplicates']],
      ['finished', PHONES, 0],
    );
    assert.equal((await ask(id, 'pause'))['status'], 'finished', 'there is nothing to pause');
  });

  test('does not hold up a cancellation', async () => {
    const { id, before: start } = await sendPaced();
    assert.deepEqual(await ask(id, 'cancel'), { id, cancelled: true });
    const cancelledAtMs = network.clock.now().getTime();
    await network.drain();
    const report = await network.backEnd.report(id);
    assertConserved(report);
    assert.equal(report['status'], 'cancelled');
    assert.equal(report['counts']?.['pending'], 0);
    assert.ok(Number(report['reasons']?.['skipped']?.['cancelled']) > 0);
    assert.ok(arrivals(start).every((at) => at <= cancelledAtMs + EFFECT_MS));
  });

  test('is no reason to outlive the time to live: what is paused expires', async () => {
    const { id } = await sendPaced();
    await ask(id, 'pause');
    await network.drain();
    await network.clock.advance(2 * 24 * 3_600_000);
    await network.drain();
    const report = await network.backEnd.report(id);
    assertConserved(report);
    assert.equal(report['status'], 'finished');
    assert.ok(Number(report['counts']?.['expired']) > 0);
  });

  test('of one notification leaves another one alone', async () => {
    const { id } = await sendPaced();
    const { received } = network.journal.counters;
    const other = await network.backEnd.sendToUsers(['sara']);
    await network.journal.waitFor(() => isFinished(other), { timeoutMs: DEADLINE_MS });
    assert.ok(network.journal.counters.received >= received + PHONES);
    assert.equal((await network.backEnd.report(id))['status'], 'sending');
    await ask(id, 'cancel');
    await network.drain();
  });

  function isFinished(id: string): boolean {
    const reached = network.journal.entries().filter((entry) => {
      return entry.accepted && JSON.stringify(entry.body).includes(id);
    });
    return reached.length === PHONES;
  }
});
