// What a connection does by the clock: PINGs, deadlines, idleness and age.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Http2Pool } from '@homing/h2';
import { inShort, poolOptions, post, postMany } from './pool-options.ts';
import { ACK, answer, CODE, frame, ping, TYPE } from './raw-frame.ts';
import { startRawPeer } from './raw-peer.ts';

describe('a PING', () => {
  it('of the peer is answered with what it carried', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    connection.send(ping('01234567'));
    const { flags, payload } = await connection.next(TYPE.ping);
    assert.deepEqual([flags, payload.toString()], [ACK, '01234567']);
    connection.send(answer(streamId));
    assert.equal(inShort(await result), '200 ok');
  });

  it('asks a silent connection, which is replaced when it does not answer', async () => {
    await using peer = await startRawPeer();
    const options = { pingAfterMs: 20, pingTimeoutMs: 50 };
    await using pool = new Http2Pool(poolOptions(peer.origin, options));
    const result = post(pool);
    const first = await peer.open();
    await first.request();
    const { flags, streamId } = await first.next(TYPE.ping);
    assert.deepEqual([flags, streamId], [0, 0]);
    // Another one's answer is none.
    first.send(ping('not this', ACK));
    await first.closed();
    assert.equal(inShort(await result), 'NETWORK_AFTER_SEND');
    const again = post(pool);
    const second = await peer.open();
    second.send(answer((await second.request()).streamId));
    assert.equal(inShort(await again), '200 ok');
  });

  it('asks a connection that has long owed an answer, which gets no request meanwhile', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const owed = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    const asked = performance.now();
    const { payload } = await connection.next(TYPE.ping);
    assert(performance.now() - asked > 1_500, 'an answer may take a second');
    const abort = new AbortController();
    const aborted = post(pool, { signal: abort.signal });
    const waits = post(pool, { note: 'waits' });
    abort.abort();
    assert.equal(inShort(await aborted), 'aborted', 'it stands in the line');
    connection.send(frame(TYPE.ping, ACK, 0, payload));
    const next = await connection.request();
    assert.equal(next.fields.get('x-note'), 'waits');
    connection.send(answer(next.streamId), answer(streamId));
    assert.deepEqual((await Promise.all([waits, owed])).map(inShort), ['200 ok', '200 ok']);
  });

  it('keeps a connection on which answers take their time', async () => {
    await using peer = await startRawPeer();
    const options = { pingAfterMs: 10, pingTimeoutMs: 20_000, maxIdlePings: 0 };
    await using pool = new Http2Pool(poolOptions(peer.origin, options));
    const result = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    for (let count = 0; count < 4; count += 1) {
      const { payload } = await connection.next(TYPE.ping);
      connection.send(frame(TYPE.ping, ACK, 0, payload));
    }
    connection.send(answer(streamId));
    assert.equal(inShort(await result), '200 ok');
  });

  it('follows another one on an idle connection only so often, until it is used', async () => {
    await using peer = await startRawPeer();
    const options = { pingAfterMs: 1, pingTimeoutMs: 20_000, idleTimeoutMs: 600 };
    await using pool = new Http2Pool(poolOptions(peer.origin, { ...options, maxIdlePings: 2 }));
    const result = post(pool);
    const connection = await peer.open();
    const pongs = answerPings(connection);
    connection.send(answer((await connection.request()).streamId));
    await result;
    await connection.closed();
    // While the request was open there may have been one more, which is none of the idle ones.
    assert((await pongs) >= 2 && (await pongs) <= 3, `${await pongs} PINGs`);
  });
});

describe('a deadline', () => {
  it('ends each request by itself, as the request or else the pool says', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { answerTimeoutMs: 60 }));
    const short = post(pool);
    const shorter = post(pool, { answerTimeoutMs: 10 });
    const long = post(pool, { answerTimeoutMs: 20_000 });
    const connection = await peer.open();
    const [a, b, c] = await connection.requests(3);
    assert.equal(inShort(await Promise.race([short, shorter])), 'TIMEOUT');
    assert.equal(await connection.resetCode(b?.streamId ?? 0), CODE.cancel);
    assert.equal(inShort(await short), 'TIMEOUT');
    assert.equal(await connection.resetCode(a?.streamId ?? 0), CODE.cancel);
    connection.send(answer(a?.streamId ?? 0), answer(b?.streamId ?? 0), answer(c?.streamId ?? 0));
    assert.equal(inShort(await long), '200 ok');
  });

  it('that passes many times in a row replaces a connection that answers PINGs', async () => {
    await using peer = await startRawPeer();
    const options = { answerTimeoutMs: 10, maxTimeouts: 3 };
    await using pool = new Http2Pool(poolOptions(peer.origin, options));
    const results = postMany(pool, 2);
    const first = await peer.open();
    const pongs = answerPings(first);
    const requests = await first.requests(2);
    for (const result of results) assert.equal(inShort(await result), 'TIMEOUT');
    // Answers that come too late are no sign of health.
    first.send(...requests.map(({ streamId }) => answer(streamId)));
    await first.settle();
    assert.equal(inShort(await post(pool)), 'TIMEOUT');
    assert.equal(await first.goawayCode(), CODE.noError);
    await first.closed();
    assert((await pongs) >= 1);
    const last = post(pool, { answerTimeoutMs: 20_000 });
    const second = await peer.open();
    second.send(answer((await second.request()).streamId));
    assert.equal(inShort(await last), '200 ok');
  });

  it('that passes now and then does not', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxTimeouts: 2 }));
    const results = postMany(pool, 1);
    const connection = await peer.open();
    const pongs = answerPings(connection);
    connection.send(answer((await connection.request()).streamId));
    await results[0];
    for (let round = 0; round < 3; round += 1) {
      const late = post(pool, { answerTimeoutMs: 10 });
      await connection.request();
      assert.equal(inShort(await late), 'TIMEOUT');
      const result = post(pool);
      connection.send(answer((await connection.request()).streamId));
      assert.equal(inShort(await result), '200 ok');
    }
    assert.equal(peer.connections.length, 1);
    await pool[Symbol.asyncDispose]();
    assert((await pongs) >= 3, 'each timeout asks');
  });

  it('for the handshake ends a connection that never gets to SETTINGS', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { connectTimeoutMs: 100 }));
    const result = await post(pool);
    assert.deepEqual(result, {
      kind: 'not_started',
      cause: 'connect_failed',
      detail: 'ETIMEDOUT',
    });
  });
});

describe('a connection', () => {
  it('is closed when it has no request for a while', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { idleTimeoutMs: 10 }));
    const result = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    connection.send(answer(streamId));
    assert.equal(inShort(await result), '200 ok');
    assert.equal(await connection.goawayCode(), CODE.noError);
    await connection.closed();
  });

  it('that is old takes nothing new, and waits for the answers that it owes', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxAgeMs: 300, maxStreams: 1 }));
    const result = post(pool);
    const first = await peer.open();
    const { streamId } = await first.request();
    // The only stream is taken, so that this one goes out when there is another connection.
    const next = post(pool);
    const second = await peer.open();
    second.send(answer((await second.request()).streamId));
    assert.equal(inShort(await next), '200 ok');
    first.send(answer(streamId));
    assert.equal(inShort(await result), '200 ok');
    assert.equal(await first.goawayCode(), CODE.noError);
    await first.closed();
  });
});

/** Answers every PING until the connection ends; how many there were. */
async function answerPings(connection: {
  next(type: number): Promise<{ readonly payload: Buffer }>;
  send(bytes: Buffer): void;
}): Promise<number> {
  for (let count = 0; ; count += 1) {
    try {
      const { payload } = await connection.next(TYPE.ping);
      connection.send(frame(TYPE.ping, ACK, 0, payload));
    } catch {
      return count;
    }
  }
}
