// Who gets a stream and when: the line, the connections that grow, retire and close, back-pressure.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { describe, it } from 'node:test';
import { Http2Pool } from '@homing/h2';
import { inShort, poolOptions, post, postMany } from './pool-options.ts';
import { answer, CODE, goaway, settings, TYPE, windowUpdate } from './raw-frame.ts';
import { startRawPeer, type RawConnection, type RawPeer, type RawRequest } from './raw-peer.ts';

function answerAll(connection: RawConnection, requests: readonly RawRequest[]): void {
  connection.send(...requests.map(({ streamId }) => answer(streamId)));
}

/** A new connection dies with the one request that it was given. */
async function loseOne(peer: RawPeer, pool: Http2Pool): Promise<void> {
  const doomed = post(pool);
  const connection = await peer.open();
  await connection.request();
  connection.destroy();
  assert.equal(inShort(await doomed), 'NETWORK_AFTER_SEND');
}

describe('the line', () => {
  it('lets go what is aborted or late, and nothing that is on a stream', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 1 }));
    const abort = new AbortController();
    const onStream = post(pool, { signal: abort.signal });
    const aborted = postMany(pool, 3, { signal: abort.signal });
    const late = post(pool, { startBefore: performance.now() + 30 });
    const latest = post(pool, { startBefore: performance.now() + 60 });
    const patient = post(pool);
    const connection = await peer.open();
    const first = await connection.request();
    abort.abort();
    assert.deepEqual((await Promise.all(aborted)).map(inShort), ['aborted', 'aborted', 'aborted']);
    assert.equal(inShort(await late), 'expired');
    assert.equal(inShort(await latest), 'expired');
    answerAll(connection, [first]);
    assert.equal(inShort(await onStream), '200 ok');
    answerAll(connection, [await connection.request()]);
    assert.equal(inShort(await patient), '200 ok');
  });

  it('does not start what is aborted or late before it begins', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const signal = AbortSignal.abort();
    assert.equal(inShort(await post(pool, { signal })), 'aborted');
    assert.equal(inShort(await post(pool, { startBefore: performance.now() - 1 })), 'expired');
    assert.deepEqual(peer.connections, []);
  });

  it('listens once to each signal, and only while a request with it waits', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 2 }));
    const { signal: shared } = new AbortController();
    const { signal: own } = new AbortController();
    const results = [
      ...postMany(pool, 2),
      ...postMany(pool, 1, { signal: own }),
      ...postMany(pool, 3, { signal: shared }),
    ];
    const connection = await peer.open();
    const requests = await connection.requests(2);
    const listeners = (): readonly number[] =>
      [own, shared].map((signal) => getEventListeners(signal, 'abort').length);
    assert.deepEqual(listeners(), [1, 1]);
    answerAll(connection, requests);
    const next = await connection.requests(2);
    assert.deepEqual(listeners(), [0, 1]);
    answerAll(connection, next);
    answerAll(connection, await connection.requests(2));
    await Promise.all(results);
    assert.deepEqual(listeners(), [0, 0]);
  });

  it('still listens to a signal with which another request came too late', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 1 }));
    const abort = new AbortController();
    const { signal } = abort;
    const onStream = post(pool);
    const waits = post(pool, { signal });
    const late = post(pool, { signal, startBefore: performance.now() - 1 });
    assert.equal(inShort(await late), 'expired');
    abort.abort();
    assert.equal(inShort(await waits), 'aborted');
    const connection = await peer.open();
    answerAll(connection, [await connection.request()]);
    assert.equal(inShort(await onStream), '200 ok');
  });

  it('keeps the order of arrival', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 3 }));
    const results = postMany(pool, 9);
    const connection = await peer.open();
    const notes: string[] = [];
    for (let count = 0; count < 9; count += 1) {
      const request = await connection.request();
      notes.push(request.fields.get('x-note') ?? '');
      answerAll(connection, [request]);
    }
    assert.equal(notes.join(''), '012345678');
    await Promise.all(results);
  });
});

describe('connections', () => {
  it('are opened one after the other up to the limit, and the roomiest one is used', async () => {
    await using peer = await startRawPeer();
    const options = { maxConnections: 3, maxStreams: 2 };
    await using pool = new Http2Pool(poolOptions(peer.origin, options));
    const results = postMany(pool, 8);
    const first = await peer.open();
    const requests = [await first.requests(2)];
    assert.equal(peer.connections.length, 1, 'the second one waits for the first one’s SETTINGS');
    const others = [await peer.open(), await peer.open()];
    for (const connection of others) requests.push(await connection.requests(2));
    await first.settle();
    assert.equal(peer.connections.length, 3);
    for (const [index, connection] of [first, ...others].entries()) {
      answerAll(connection, requests[index] ?? []);
    }
    answerAll(first, await first.requests(2));
    for (const result of results) assert.equal(inShort(await result), '200 ok');

    // One request on each before any gets its second.
    const spread = postMany(pool, 3);
    for (const connection of [first, ...others]) {
      answerAll(connection, [await connection.request()]);
    }
    await Promise.all(spread);
  });

  it('grow no further while none can be made, and the others go on', async () => {
    await using peer = await startRawPeer();
    const options = { maxConnections: 2, maxStreams: 1 };
    await using pool = new Http2Pool(poolOptions(peer.origin, options));
    const results = postMany(pool, 3);
    const first = await peer.open();
    const second = await peer.accept();
    second.destroy();
    for (let count = 0; count < 3; count += 1) answerAll(first, [await first.request()]);
    for (const result of results) assert.equal(inShort(await result), '200 ok');
  });

  it('that open and die without an answer are made more and more slowly', async () => {
    await using peer = await startRawPeer();
    const options = { maxConnections: 2, maxStreams: 1 };
    await using pool = new Http2Pool(poolOptions(peer.origin, options));
    const held = post(pool);
    const healthy = await peer.open();
    const heldRequest = await healthy.request();
    // Each dies with the one request that it was given; the first in a row costs no pause.
    for (let count = 0; count < 2; count += 1) {
      await loseOne(peer, pool);
    }
    const waits = post(pool);
    await healthy.settle();
    assert.equal(peer.connections.length, 3, 'a pause has begun');
    // The healthy one goes on taking requests meanwhile.
    answerAll(healthy, [heldRequest]);
    answerAll(healthy, [await healthy.request()]);
    assert.deepEqual((await Promise.all([held, waits])).map(inShort), ['200 ok', '200 ok']);
  });

  it('that answer nothing and end leave no request waiting for the next try', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    for (let count = 0; count < 2; count += 1) {
      await loseOne(peer, pool);
    }
    const meets = await post(pool);
    assert(meets.kind === 'not_started');
    assert.equal(meets.cause, 'connect_failed');
  });

  it('that are retired finish what they have and take nothing new', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const begun = postMany(pool, 2);
    const first = await peer.open();
    const [one, two] = await first.requests(2);
    first.send(answer(one?.streamId ?? 0));
    const result = await begun[0];
    assert(result?.kind === 'answer');
    pool.retire(result.connection);
    pool.retire(result.connection);
    const next = post(pool);
    const second = await peer.open();
    answerAll(second, [await second.request()]);
    const nextResult = await next;
    assert(nextResult.kind === 'answer');
    assert.notEqual(nextResult.connection, result.connection);
    first.send(answer(two?.streamId ?? 0));
    assert.equal(inShort((await begun[1]) ?? assert.fail()), '200 ok');
    assert.equal(await first.goawayCode(), CODE.noError);
    await first.closed();
  });

  it('that carried a credential retire with it; the credential is that of the moment', async () => {
    await using peer = await startRawPeer();
    let credential = 'bearer old';
    const authorization = (): string => credential;
    await using pool = new Http2Pool(poolOptions(peer.origin, { authorization, maxStreams: 1 }));
    const results = postMany(pool, 2);
    const first = await peer.open();
    const one = await first.request();
    assert.equal(one.fields.get('authorization'), 'bearer old');
    credential = 'bearer new';
    answerAll(first, [one]);
    const two = await first.request();
    assert.equal(two.fields.get('authorization'), 'bearer new', 'renewed while it waited');
    answerAll(first, [two]);
    await Promise.all(results);
    pool.retireCarriers('bearer other');
    pool.retireCarriers('bearer old', 0);
    const kept = post(pool);
    answerAll(first, [await first.request()]);
    await kept;
    pool.retireCarriers('bearer old');
    assert.equal(await first.goawayCode(), CODE.noError);
    const again = post(pool);
    const second = await peer.open();
    answerAll(second, [await second.request()]);
    assert.equal(inShort(await again), '200 ok');
  });
});

describe('disposing of a pool', () => {
  it('gives back what waits, awaits what is under way, and leaves nothing open', async () => {
    await using peer = await startRawPeer();
    const pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 1 }));
    const underWay = post(pool);
    const waiting = postMany(pool, 2);
    const connection = await peer.open();
    const request = await connection.request();
    const disposed = pool[Symbol.asyncDispose]();
    assert.deepEqual((await Promise.all(waiting)).map(inShort), ['closed', 'closed']);
    assert.equal(inShort(await post(pool)), 'closed');
    answerAll(connection, [request]);
    assert.equal(inShort(await underWay), '200 ok');
    await disposed;
    assert.equal(await connection.goawayCode(), CODE.noError);
    await connection.closed();
    assert.equal(inShort(await post(pool)), 'closed');
  });

  it('gives back what a peer refuses meanwhile', async () => {
    await using peer = await startRawPeer();
    const pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const connection = await peer.open();
    await connection.request();
    const disposed = pool[Symbol.asyncDispose]();
    connection.send(goaway(0, CODE.noError));
    assert.equal(inShort(await result), 'closed');
    await disposed;
  });

  it('does not wait for a connection that is not open yet, nor for answers beyond their time', async () => {
    await using peer = await startRawPeer();
    const silent = new Http2Pool(poolOptions(peer.origin));
    const early = post(silent);
    await peer.accept();
    await silent[Symbol.asyncDispose]();
    assert.equal(inShort(await early), 'closed');
    const pool = new Http2Pool(poolOptions(peer.origin, { answerTimeoutMs: 30 }));
    const never = post(pool);
    const connection = await peer.open();
    await connection.request();
    await pool[Symbol.asyncDispose]();
    assert.equal(inShort(await never), 'TIMEOUT');
    await connection.closed();
  });

  it('leaves no socket and no timer behind', async () => {
    const before = handles();
    {
      await using peer = await startRawPeer();
      await using pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 1 }));
      const results = postMany(pool, 2);
      const connection = await peer.open();
      answerAll(connection, [await connection.request()]);
      answerAll(connection, [await connection.request()]);
      await Promise.all(results);
    }
    assert.deepEqual(handles(), before);
  });
});

describe('a peer that does not read', () => {
  it('gets no more than a bounded heap of requests, and the rest when it reads again', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 1_000 }));
    const connecting = post(pool);
    const connection = await peer.open({ initialWindowSize: 2 ** 30 });
    connection.send(windowUpdate(0, 2 ** 30));
    answerAll(connection, [await connection.request()]);
    await connecting;
    await connection.settle();
    connection.socket.pause();

    const body = Buffer.alloc(100_000);
    const abort = new AbortController();
    const first = postMany(pool, 300, { body, signal: abort.signal });
    abort.abort();
    const rest = postMany(pool, 60, { body });
    connection.socket.resume();
    const ends = Promise.all(first);
    const received = serveUntil(connection, Promise.all(rest));
    const onStream = (await ends).filter(({ kind }) => kind === 'answer').length;
    assert((await ends).every((result) => ['200 ok', 'aborted'].includes(inShort(result))));
    // 64 KiB may wait in the socket, one more write is collected, and a body is never cut in two.
    assert(onStream >= 1 && onStream <= 3, `${onStream} of 300 were put on the socket`);
    assert.deepEqual(new Set((await Promise.all(rest)).map(inShort)), new Set(['200 ok']));
    assert.equal(await received, onStream + 60);
    assert.equal(peer.connections.length, 1);
    connection.send(settings());
    await connection.settle();
    assert.equal(connection.count(TYPE.headers), 0);
  });
});

/** Answers every request until all results are there; how many it answered. */
async function serveUntil(connection: RawConnection, all: Promise<unknown>): Promise<number> {
  const isDone = all.then(() => true);
  for (let served = 0; ;) {
    for (; connection.count(TYPE.headers) > 0; served += 1) {
      answerAll(connection, [await connection.request()]);
    }
    if (await Promise.race([isDone, connection.arrival()])) return served;
  }
}

/** What keeps a process alive, by kind, pipes of the test runner left out. */
function handles(): readonly string[] {
  const kinds = /^(?:TCPSocketWrap|TCPServerWrap|TLSWrap|Timeout|Immediate)$/;
  return process.getActiveResourcesInfo().filter((kind) => kinds.test(kind));
}
