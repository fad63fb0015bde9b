// RST_STREAM, GOAWAY and lost connections: what is awaited, what is sent again, what is unknown.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Http2Pool } from '@homing/h2';
import { inShort, poolOptions, post, postMany } from './pool-options.ts';
import {
  answer,
  CODE,
  data,
  goaway,
  headers,
  literals,
  rstStream,
  settings,
  TYPE,
} from './raw-frame.ts';
import { startRawPeer, type RawConnection } from './raw-peer.ts';

const OK = literals([[':status', '200']]);
const LAST_POSSIBLE = 2 ** 31 - 1;

/** Answers so many requests with their own notes. */
async function serve(connection: RawConnection, count: number): Promise<readonly string[]> {
  const requests = await connection.requests(count);
  const notes = requests.map(({ fields }) => fields.get('x-note') ?? '');
  connection.send(...requests.map(({ streamId }, index) => answer(streamId, 200, notes[index])));
  return notes;
}

async function inOrder(results: readonly Promise<Parameters<typeof inShort>[0]>[]) {
  return (await Promise.all(results)).map(inShort);
}

describe('a stream that the peer resets', () => {
  it('leaves the outcome unknown, unless the status is known', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const results = postMany(pool, 5);
    const connection = await peer.open();
    const ids = (await connection.requests(5)).map(({ streamId }) => streamId);
    const [before = 0, afterHead = 0, afterPart = 0, afterAll = 0, twice = 0] = ids;
    connection.send(
      rstStream(before, CODE.internalError),
      Buffer.concat([headers(afterHead, OK), rstStream(afterHead, CODE.cancel)]),
      Buffer.concat([headers(afterPart, OK), data(afterPart, 'x'), rstStream(afterPart, 8)]),
      Buffer.concat([answer(afterAll), rstStream(afterAll, CODE.noError)]),
      Buffer.concat([rstStream(twice, 99), rstStream(twice, 0), data(twice, 'late')]),
    );
    const unknown = 'NETWORK_AFTER_SEND';
    assert.deepEqual(await inOrder(results), [unknown, '200', '200', '200 ok', unknown]);
    await connection.settle();
    assert.equal(connection.count(TYPE.goaway), 0);
  });

  it('is opened again on another connection when it was refused, and there is one', async () => {
    await using peer = await startRawPeer();
    const options = { maxConnections: 2, maxStreams: 3 };
    await using pool = new Http2Pool(poolOptions(peer.origin, options));
    const results = postMany(pool, 4);
    const first = await peer.open();
    const three = await first.requests(3);
    const second = await peer.open();
    const [fourth] = await second.requests(1);
    second.send(answer(fourth?.streamId ?? 0));
    assert.equal(inShort((await results[3]) ?? assert.fail()), '200 ok');
    const ids = three.map(({ streamId }) => streamId);
    // The first connection has the most room by then, and is the one that has just refused.
    first.send(...ids.map((streamId) => rstStream(streamId, CODE.refusedStream)));
    assert.deepEqual(await serve(second, 3), ['0', '1', '2']);
    assert.deepEqual(await inOrder(results.slice(0, 3)), ['200 0', '200 1', '200 2']);
    assert.equal(first.count(TYPE.headers), 0);
  });

  it('is not opened for ever when every try is refused', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const connection = await peer.open();
    for (let count = 0; count < 4; count += 1) {
      connection.send(rstStream((await connection.request()).streamId, CODE.refusedStream));
    }
    assert.equal(inShort(await result), 'refused');
  });

  it('is answered when the answer had begun, even if it is then refused', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    connection.send(headers(streamId, OK), rstStream(streamId, CODE.refusedStream));
    assert.equal(inShort(await result), '200');
  });
});

describe('GOAWAY', () => {
  it('lets streams up to the last one finish and sends the others on a new connection', async () => {
    for (const code of [CODE.noError, CODE.enhanceYourCalm]) {
      await using peer = await startRawPeer();
      await using pool = new Http2Pool(poolOptions(peer.origin));
      const results = postMany(pool, 6);
      const first = await peer.open();
      const requests = await first.requests(6);
      first.send(goaway(requests[2]?.streamId ?? 0, code, '{"reason":"Shutdown"}'));
      const second = await peer.open();
      assert.deepEqual(await serve(second, 3), ['3', '4', '5']);
      const below = requests.slice(0, 3).map(({ streamId }) => answer(streamId, 200, 'below'));
      first.send(...below);
      const expected = ['200 below', '200 below', '200 below', '200 3', '200 4', '200 5'];
      assert.deepEqual(await inOrder(results), expected);
      await first.closed();
      assert.equal(await first.goawayCode(), CODE.noError);
    }
  });

  it('may come twice, first to announce itself', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const results = postMany(pool, 3);
    const first = await peer.open();
    const requests = await first.requests(3);
    first.send(goaway(LAST_POSSIBLE, CODE.noError));
    await first.settle();
    const later = post(pool, { note: 'later' });
    const second = await peer.open();
    assert.deepEqual(await serve(second, 1), ['later']);
    assert.equal(inShort(await later), '200 later');
    first.send(goaway(requests[0]?.streamId ?? 0, CODE.noError));
    assert.deepEqual(await serve(second, 2), ['1', '2']);
    first.send(answer(requests[0]?.streamId ?? 0));
    assert.deepEqual(await inOrder(results), ['200 ok', '200 1', '200 2']);
    await first.closed();
    assert.equal(first.count(TYPE.headers), 0);
  });

  it('takes the requests that have not left our own buffer to the next connection', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const results = postMany(pool, 3);
    const first = await peer.accept();
    // One chunk: the requests are written into the buffer between the two frames.
    first.send(settings(), goaway(0, CODE.noError));
    const second = await peer.open();
    assert.deepEqual(await serve(second, 3), ['0', '1', '2']);
    assert.deepEqual(await inOrder(results), ['200 0', '200 1', '200 2']);
  });

  it('without an open stream closes the connection at once', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const first = await peer.open();
    await serve(first, 1);
    await result;
    first.send(goaway(1, CODE.noError));
    await first.closed();
  });

  it('before SETTINGS is a connection that failed', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const connection = await peer.accept();
    connection.send(goaway(0, CODE.noError));
    assert.equal(inShort(await result), 'connect_failed');
  });

  it('with an error, and the end of the connection, leave those below it unknown', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const results = postMany(pool, 2);
    const first = await peer.open();
    const [one] = await first.requests(2);
    first.send(goaway(one?.streamId ?? 0, CODE.internalError));
    first.socket.end();
    const second = await peer.open();
    assert.deepEqual(await serve(second, 1), ['1']);
    assert.deepEqual(await inOrder(results), ['NETWORK_AFTER_SEND', '200 1']);
  });
});

describe('a connection that is lost', () => {
  it('leaves the outcome of what went out unknown, and keeps what was answered', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const results = postMany(pool, 3);
    const connection = await peer.open();
    const [first, second] = await connection.requests(3);
    connection.send(answer(first?.streamId ?? 0), headers(second?.streamId ?? 0, OK));
    connection.socket.end();
    assert.deepEqual(await inOrder(results), ['200 ok', '200', 'NETWORK_AFTER_SEND']);
  });

  it('does not stop what had not gone out', async () => {
    await using peer = await startRawPeer();
    const options = { maxConnections: 1, maxStreams: 2 };
    await using pool = new Http2Pool(poolOptions(peer.origin, options));
    const results = postMany(pool, 4);
    const first = await peer.open();
    await first.requests(2);
    first.destroy();
    const second = await peer.open();
    assert.deepEqual(await serve(second, 2), ['2', '3']);
    const unknown = 'NETWORK_AFTER_SEND';
    assert.deepEqual(await inOrder(results), [unknown, unknown, '200 2', '200 3']);
  });

  it('does not count as sent what was still in our own buffer', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const first = await peer.accept();
    // One chunk: the request enters the buffer at SETTINGS, and the next frame ends everything.
    first.send(settings(), data(0, 'of no stream'));
    assert.equal(await first.goawayCode(), CODE.protocolError);
    const second = await peer.open();
    assert.deepEqual(await serve(second, 1), ['']);
    assert.equal(inShort(await result), '200');
    assert.equal(first.count(TYPE.headers), 0);
  });

  it('does not count as sent what was in our buffer when the requests before it went out', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    // The second one's head does not fit behind the first one's, which makes room by going out.
    const results = ['a', 'b'].map((letter) => post(pool, { note: letter.repeat(40_000) }));
    const first = await peer.accept();
    first.send(settings(), data(0, 'of no stream'));
    const second = await peer.open();
    const again = await second.request();
    assert.equal(again.fields.get('x-note')?.[0], 'b');
    second.send(answer(again.streamId));
    assert.deepEqual(await inOrder(results), ['NETWORK_AFTER_SEND', '200 ok']);
  });

  it('gets no request between the moment that it is given up and its end', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const first = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    // The first result is known from the same chunk that ends the connection.
    connection.send(answer(streamId), data(0, 'of no stream'));
    await first;
    const second = post(pool);
    const next = await peer.open();
    await serve(next, 1);
    assert.equal(inShort(await second), '200');
  });

  it('before SETTINGS is a connection that failed', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const results = postMany(pool, 3);
    const connection = await peer.accept();
    connection.destroy();
    assert.deepEqual(new Set(await inOrder(results)), new Set(['connect_failed']));
  });
});

describe('a process that freezes', () => {
  it('does not hand over what it should have started before', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const warm = post(pool);
    const first = await peer.open();
    await serve(first, 1);
    await warm;
    const patient = post(pool, { note: 'patient', answerTimeoutMs: 60 });
    const late = post(pool, { note: 'late', startBefore: performance.now() + 150 });
    freeze(200);
    assert.equal(inShort(await late), 'expired');
    await first.closed();
    assert.equal(first.count(TYPE.headers), 0);
    // What shared the buffer goes out anew, and was not taken for one without an answer.
    const second = await peer.open();
    const again = await second.request();
    assert.equal(again.fields.get('x-note'), 'patient');
    second.send(answer(again.streamId));
    assert.equal(inShort(await patient), '200 ok');
  });
});

/** Holds the event loop up, as a stopped or starved process does. */
function freeze(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
