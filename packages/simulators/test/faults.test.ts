import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { Fault } from '../src/index.ts';
import { APNS_SENTINELS } from '../src/index.ts';
import {
  alertHeaders,
  assertRefused,
  connectTo,
  deviceToken,
  push,
  pushTo,
  startApns,
} from './apns-client.ts';
import { refused } from './http2-client.ts';

const REFUSED_STREAM = 7;
const CANCEL = 8;
const WAIT = { timeoutMs: 5000 };

describe('a scheduled fault', () => {
  it('answers as told, as often as told, with Retry-After if wanted', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    simulator.faults.schedule({
      times: 2,
      fault: { kind: 'answer', status: 503, reason: 'ServiceUnavailable', retryAfterSeconds: 9 },
    });
    for (let count = 0; count < 2; count += 1) {
      const reply = await push(client);
      assertRefused(reply, 503, 'ServiceUnavailable');
      assert.equal(reply.headers['retry-after'], '9');
    }
    assert.equal((await push(client)).status, 200);
    assert.equal(simulator.journal.counters.accepted, 1);
  });

  it('spares requests that it does not match', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const [unlucky, lucky] = [deviceToken(), deviceToken()];
    simulator.faults.schedule({
      times: 1,
      match: { token: unlucky.toUpperCase() },
      fault: { kind: 'answer', status: 500, reason: 'InternalServerError' },
    });
    assert.equal((await pushTo(client, lucky)).status, 200);
    assertRefused(await pushTo(client, unlucky), 500, 'InternalServerError');
    assert.deepEqual(simulator.faults.pending, []);
  });

  it('can be meant for each so many-th request only', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const fault = {
      kind: 'accept_then_answer',
      status: 503,
      reason: 'ServiceUnavailable',
    } as const;
    simulator.faults.schedule({ times: 2, every: 3, fault });
    const statuses: unknown[] = [];
    for (let count = 0; count < 9; count += 1) statuses.push((await push(client)).status);
    assert.deepEqual(statuses, [200, 200, 503, 200, 200, 503, 200, 200, 200]);
    assert.equal(simulator.journal.counters.accepted, 9);
  });

  it('does not hide that a request was wrong in itself', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    simulator.faults.schedule({ times: 1, fault: { kind: 'accept_then_reset' } });
    assertRefused(await push(client, { 'apns-priority': '7' }), 400, 'BadPriority');
  });

  const deliveries: readonly (readonly [Fault, boolean])[] = [
    [{ kind: 'reset' }, false],
    [{ kind: 'accept_then_reset' }, true],
  ];
  for (const [fault, accepted] of deliveries) {
    it(`${fault.kind} kills the connection with the push ${accepted ? '' : 'not '}taken`, async () => {
      await using simulator = await startApns();
      await using client = await connectTo(simulator);
      simulator.faults.schedule({ times: 1, fault });
      const token = deviceToken();
      await refused(pushTo(client, token));
      await client.closed();
      assert.match(client.errors.join(), /ECONNRESET/);
      const entry = await simulator.journal.waitFor((each) => each.token === token, WAIT);
      assert.deepEqual([entry.accepted, entry.answer, entry.fault], [accepted, null, fault.kind]);
      assert.equal(simulator.devices.view(token).shown.length, accepted ? 1 : 0);
    });
  }

  it('accept_then_answer takes the push and denies it', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const token = deviceToken();
    simulator.faults.schedule({
      times: 1,
      fault: { kind: 'accept_then_answer', status: 503, reason: 'ServiceUnavailable' },
    });
    assertRefused(await pushTo(client, token), 503, 'ServiceUnavailable');
    assert.equal(simulator.devices.view(token).shown.length, 1);
    assert.equal(simulator.journal.entries()[0]?.accepted, true);
  });

  it('refused_stream leaves the push unprocessed and the connection alive', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    simulator.faults.schedule({ times: 1, fault: { kind: 'refused_stream' } });
    assert.equal((await refused(push(client))).rstCode, REFUSED_STREAM);
    assert.equal((await push(client)).status, 200);
    assert.equal(simulator.journal.counters.accepted, 1);
  });

  it('goaway before this stream refuses it and closes the connection', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    await push(client);
    simulator.faults.schedule({
      times: 1,
      fault: { kind: 'goaway', reason: 'Shutdown', lastStream: 'before_this' },
    });
    assert.equal((await refused(push(client))).rstCode, REFUSED_STREAM);
    await client.closed();
    assert.deepEqual(client.goaways[0], { errorCode: 0, lastStreamId: 1, reason: 'Shutdown' });
    assert.equal(simulator.journal.counters.accepted, 1);
  });

  it('goaway before the very first stream refuses that as well', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    assert.equal((await refused(pushTo(client, deviceToken('beef0000')))).rstCode, REFUSED_STREAM);
    await client.closed();
    assert.equal(simulator.journal.counters.accepted, 0);
  });

  it('goaway with this stream answers it and then closes the connection', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    simulator.faults.schedule({
      times: 1,
      fault: { kind: 'goaway', reason: 'IdleTimeout', lastStream: 'this' },
    });
    assert.equal((await push(client)).status, 200);
    await client.closed();
    assert.equal(client.goaways[0]?.reason, 'IdleTimeout');
  });

  it('stream_limit announces another limit and serves the request', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const raised = client.nextSettings();
    await push(client);
    await raised;
    const limit = 3;
    simulator.faults.schedule({
      times: 1,
      fault: { kind: 'stream_limit', maxConcurrentStreams: limit },
    });
    const changed = client.nextSettings();
    assert.equal((await push(client)).status, 200);
    await changed;
    assert.equal(client.streamLimits.at(-1), limit);
  });

  it('slow delays the answer', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const delayMs = 60;
    simulator.faults.schedule({ times: 1, fault: { kind: 'slow', delayMs } });
    const startedAt = performance.now();
    assert.equal((await push(client)).status, 200);
    // Timers may fire up to a millisecond early.
    assert.ok(performance.now() - startedAt >= delayMs - 1);
  });

  it('silence and a long delay do not keep a simulator from closing', async () => {
    const simulator = await startApns();
    await using client = await connectTo(simulator);
    const raised = client.nextSettings();
    await push(client);
    await raised;
    const [silent, slow] = [deviceToken('fade0000'), deviceToken('fade0015')];
    const lost = [refused(pushTo(client, silent)), refused(pushTo(client, slow))];
    await simulator.journal.waitFor((entry) => entry.token === silent, WAIT);
    await simulator[Symbol.asyncDispose]();
    await Promise.all(lost);
  });
});

describe('a hold', () => {
  it('keeps a request unprocessed until it is released', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const token = deviceToken();
    const hold = simulator.faults.hold({ token });
    const reply = pushTo(client, token);
    await hold.arrived();
    assert.equal(simulator.journal.counters.received, 0);
    assert.equal(simulator.devices.view(token).shown.length, 0);
    hold.release();
    assert.equal((await reply).status, 200);
  });

  it('can keep back the answer to a request that has been processed', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    const token = deviceToken();
    using hold = simulator.faults.hold({ token }, 'answer');
    const reply = pushTo(client, token);
    await hold.arrived();
    assert.equal(simulator.devices.view(token).shown.length, 1);
    hold.release();
    assert.equal((await reply).status, 200);
  });
});

describe('a client that gives up', () => {
  it('leaves its request processed or not, and the simulator alive', async () => {
    await using simulator = await startApns();
    await using client = await connectTo(simulator);
    for (const point of ['arrival', 'answer'] as const) {
      const token = deviceToken();
      using hold = simulator.faults.hold({ token }, point);
      const stream = client.session.request(alertHeaders(token));
      stream.on('error', () => undefined);
      stream.end('{}');
      await hold.arrived();
      const closed = once(stream, 'close');
      stream.close(CANCEL);
      await closed;
      hold.release();
      await simulator.journal.waitFor((entry) => entry.token === token, WAIT);
      assert.equal((await push(client)).status, 200);
    }
  });
});

describe('a sentinel token', () => {
  for (const { prefix, meaning, effect } of APNS_SENTINELS) {
    if (effect.kind !== 'fault' || effect.times !== 'once') continue;
    it(`${prefix}… means: ${meaning}`, async () => {
      await using simulator = await startApns();
      const token = deviceToken(prefix);
      const outcomes: string[] = [];
      for (let attempt = 0; attempt < 2; attempt += 1) {
        await using client = await connectTo(simulator);
        const headers = alertHeaders(token);
        const outcome = await push(client, headers).then(
          (reply) => String(reply.status),
          () => 'no answer',
        );
        outcomes.push(outcome);
      }
      const [first] = simulator.journal.entries();
      const firstOutcome = 'status' in effect.fault ? String(effect.fault.status) : 'no answer';
      assert.deepEqual(outcomes, [firstOutcome, '200']);
      assert.equal(first?.accepted, effect.fault.kind.startsWith('accept_'));
    });
  }

  for (const { prefix, meaning, effect } of APNS_SENTINELS) {
    if (effect.kind !== 'fault' || effect.fault.kind !== 'answer' || effect.times === 'once') {
      continue;
    }
    const { status, reason } = effect.fault;
    it(`${prefix}… means, however often it is tried: ${meaning}`, async () => {
      await using simulator = await startApns();
      await using client = await connectTo(simulator);
      const token = deviceToken(prefix);
      for (let attempt = 0; attempt < 2; attempt += 1) {
        assertRefused(await pushTo(client, token), status, reason);
      }
    });
  }
});
