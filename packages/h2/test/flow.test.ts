// Bodies and heads as the peer's windows and frame size let them through.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Http2Pool } from '@homing/h2';
import { inShort, poolOptions, post } from './pool-options.ts';
import {
  answer,
  CODE,
  END_STREAM,
  goaway,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from './raw-frame.ts';
import { startRawPeer, type RawConnection } from './raw-peer.ts';

const LETTERS = Buffer.from(Array.from({ length: 300_000 }, (_, index) => 97 + (index % 26)));

/** The DATA that has come of a stream. */
function lengthsOf(connection: RawConnection, stream: number): readonly number[] {
  return connection.pending
    .filter(({ type, streamId }) => type === TYPE.data && streamId === stream)
    .map(({ payload }) => payload.length);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

describe('the body of a request', () => {
  it('is held by the window of its stream and let go byte by byte', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool, { body: 'abcd' });
    const connection = await peer.open({ initialWindowSize: 0 });
    const head = await connection.head();
    await connection.settle();
    assert.deepEqual(connection.count(TYPE.data), 0);
    const pieces: string[] = [];
    for (let count = 0; count < 4; count += 1) {
      connection.send(windowUpdate(head.streamId, 1));
      const { payload, flags } = await connection.next(TYPE.data);
      pieces.push(`${payload.toString()}${flags}`);
    }
    assert.deepEqual(pieces, ['a0', 'b0', 'c0', `d${END_STREAM}`]);
    connection.send(answer(head.streamId));
    assert.equal(inShort(await result), '200 ok');
  });

  it('is held by the window of the connection, and later requests wait in the line', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const bodies = [LETTERS.subarray(0, 60_000), LETTERS.subarray(0, 10_000), Buffer.from('small')];
    const results = bodies.map((body) => post(pool, { body }));
    const connection = await peer.open();
    const heads = [await connection.head(), await connection.head()];
    await connection.settle();
    const came = (): readonly number[] =>
      heads.map(({ streamId }) => sum(lengthsOf(connection, streamId)));
    assert.deepEqual(came(), [60_000, 5_535]);
    connection.send(windowUpdate(0, 4_465));
    await connection.settle();
    assert.deepEqual(came(), [60_000, 10_000]);
    assert.equal(connection.count(TYPE.headers), 0, 'the window is used up to the last byte');
    connection.send(windowUpdate(0, 1));
    heads.push(await connection.head());
    await connection.settle();
    assert.deepEqual(came(), [60_000, 10_000, 1]);
    connection.send(windowUpdate(0, 2 ** 31 - 1));
    for (const [index, head] of heads.entries()) {
      assert.deepEqual((await connection.rest(head)).body, bodies[index]);
      connection.send(answer(head.streamId));
    }
    for (const result of results) assert.equal(inShort(await result), '200 ok');
  });

  it('that is held for too long is cut off, and its request was not started', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const abort = new AbortController();
    const late = post(pool, { body: 'late', startBefore: performance.now() + 300 });
    const connection = await peer.open({ initialWindowSize: 1 });
    const lateHead = await connection.head();
    const aborted = post(pool, { body: 'aborted', signal: abort.signal });
    assert.equal(inShort(await late), 'expired');
    assert.equal(await connection.resetCode(lateHead.streamId), CODE.cancel);
    const abortedHead = await connection.head();
    await connection.settle();
    abort.abort();
    // The window opens before the clock has looked at what was aborted.
    connection.send(windowUpdate(abortedHead.streamId, 10), windowUpdate(lateHead.streamId, 10));
    assert.equal(await connection.resetCode(abortedHead.streamId), CODE.cancel);
    assert.equal(inShort(await aborted), 'aborted');
    const next = post(pool, { body: '1' });
    const { streamId } = await connection.request();
    const sent = [lateHead, abortedHead].map((head) => sum(lengthsOf(connection, head.streamId)));
    assert.deepEqual(sent, [1, 1]);
    connection.send(answer(streamId));
    assert.equal(inShort(await next), '200 ok');
  });

  it('waits while a smaller initial window has made the window of its stream negative', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const body = LETTERS.subarray(0, 1_500);
    const result = post(pool, { body });
    const connection = await peer.open({ initialWindowSize: 1_000 });
    const head = await connection.head();
    await connection.settle();
    const came = (): number => sum(lengthsOf(connection, head.streamId));
    assert.equal(came(), 1_000);
    // -800, -100, 0, 1: nothing may go out before the last.
    connection.send(settings({ initialWindowSize: 200 }));
    connection.send(windowUpdate(head.streamId, 700), windowUpdate(head.streamId, 100));
    await connection.settle();
    assert.equal(came(), 1_000);
    connection.send(windowUpdate(head.streamId, 1));
    await connection.settle();
    assert.equal(came(), 1_001);
    connection.send(settings({ initialWindowSize: 300 }));
    await connection.settle();
    assert.equal(came(), 1_101);
    connection.send(settings({ initialWindowSize: 2 ** 20 }));
    assert.deepEqual((await connection.rest(head)).body, body);
    connection.send(answer(head.streamId));
    assert.equal(inShort(await result), '200 ok');
  });

  it('goes out in frames of the size that the peer takes', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const connecting = post(pool);
    const connection = await peer.open({ initialWindowSize: 2 ** 30 });
    connection.send(windowUpdate(0, 2 ** 30), answer((await connection.request()).streamId));
    assert.equal(inShort(await connecting), '200 ok');
    for (const [maxFrameSize, expected] of [
      [16_384, 16_384],
      [100_000, 100_000],
      [2 ** 24 - 1, 300_000],
      [20_000, 20_000],
    ] as const) {
      connection.send(settings({ maxFrameSize }));
      await connection.settle();
      const result = post(pool, { body: LETTERS });
      const head = await connection.head();
      await connection.settle();
      assert.equal(Math.max(...lengthsOf(connection, head.streamId)), expected);
      assert.deepEqual((await connection.rest(head)).body, LETTERS);
      connection.send(answer(head.streamId));
      assert.equal(inShort(await result), '200 ok');
    }
  });

  it('is not sent on when its stream was reset, refused or answered', async () => {
    await using peer = await startRawPeer();
    const endings: ((streamId: number) => Buffer)[] = [
      (streamId) => rstStream(streamId, CODE.cancel),
      (streamId) => answer(streamId, 413, ''),
      (streamId) => Buffer.concat([answer(streamId, 413), rstStream(streamId, CODE.noError)]),
      (streamId) => goaway(streamId - 2, CODE.noError),
    ];
    for (const ending of endings) {
      await using pool = new Http2Pool(poolOptions(peer.origin));
      // The first stream is open to the end, so that a GOAWAY does not close the connection.
      const awaited = post(pool, { body: '' });
      const cut = post(pool, { body: LETTERS.subarray(0, 1_000) });
      const connection = await peer.open({ initialWindowSize: 100 });
      const first = await connection.request();
      const second = await connection.head();
      await connection.settle();
      assert.equal(sum(lengthsOf(connection, second.streamId)), 100);
      connection.send(ending(second.streamId), windowUpdate(0, 2 ** 30));
      connection.send(settings({ initialWindowSize: 100_000 }));
      await connection.settle();
      assert.equal(sum(lengthsOf(connection, second.streamId)), 100);
      connection.send(answer(first.streamId));
      assert.equal(inShort(await awaited), '200 ok');
      await pool[Symbol.asyncDispose]();
      await cut;
    }
  });
});

describe('the head of a request', () => {
  it('that is larger than a frame goes out as CONTINUATION, with nothing in between', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const notes = ['x'.repeat(40_000), 'y'.repeat(16_384), 'z', 'x'.repeat(200_000)];
    const results = notes.map((note) => post(pool, { note }));
    const connection = await peer.open();
    const { headers, continuation, data } = TYPE;
    const expected = [
      [headers, continuation, continuation, data],
      [headers, continuation, data],
      [headers, data],
      [headers, ...Array.from({ length: 12 }, () => continuation), data],
    ];
    await connection.settle();
    const order = connection.pending.map(({ type }) => type);
    assert.deepEqual(order.slice(order.indexOf(headers)), expected.flat());
    for (const [index, note] of notes.entries()) {
      const { fields, streamId, types } = await connection.request();
      assert.equal(fields.get('x-note'), note);
      assert.deepEqual(types, expected[index]);
      connection.send(answer(streamId));
    }
    for (const result of results) assert.equal(inShort(await result), '200 ok');
  });
});
