// What the peer's SETTINGS change, at any time and in any direction.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Http2Pool } from '@homing/h2';
import { inShort, poolOptions, post, postMany } from './pool-options.ts';
import { answer, frame, settings, TYPE } from './raw-frame.ts';
import { startRawPeer } from './raw-peer.ts';

const ECHO = 'echo echo';

describe('the peer’s settings', () => {
  it('are awaited before the first request, and acknowledged', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const connection = await peer.accept();
    await connection.next(TYPE.settings);
    await connection.next(TYPE.windowUpdate);
    assert.deepEqual(connection.pending, []);
    connection.send(settings());
    const acknowledgement = await connection.next(TYPE.settings);
    assert.deepEqual([acknowledgement.flags, acknowledgement.payload.length], [1, 0]);
    const { streamId, fields, body } = await connection.request();
    assert.equal(streamId, 1);
    assert.deepEqual(Object.fromEntries(fields), {
      ':method': 'POST',
      ':scheme': 'https',
      ':authority': new URL(peer.origin).host,
      ':path': '/',
      authorization: 'bearer x',
      'apns-topic': 'com.acme.shop',
      'x-note': '',
      'content-length': '2',
    });
    assert.equal(body.toString(), '{}');
    connection.send(answer(streamId));
    assert.equal(inShort(await result), '200 ok');
  });

  it('raise and lower the number of streams, and stop everything with 0', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const results = postMany(pool, 12);
    const connection = await peer.open({ maxConcurrentStreams: 1 });
    const first = await connection.request();
    await connection.settle();
    assert.equal(connection.count(TYPE.headers), 0);

    connection.send(settings({ maxConcurrentStreams: 5 }), answer(first.streamId));
    const five = await connection.requests(5);
    await connection.settle();
    assert.equal(connection.count(TYPE.headers), 0);

    connection.send(settings({ maxConcurrentStreams: 2 }));
    connection.send(...five.slice(0, 4).map(({ streamId }) => answer(streamId)));
    const sixth = await connection.request();
    await connection.settle();
    assert.equal(connection.count(TYPE.headers), 0, 'one of the five and the sixth are the two');

    connection.send(settings({ maxConcurrentStreams: 0 }));
    connection.send(answer(five[4]?.streamId ?? 0), answer(sixth.streamId));
    await connection.settle();
    assert.equal(connection.count(TYPE.headers), 0);

    connection.send(settings({ maxConcurrentStreams: 100 }));
    const rest = await connection.requests(5);
    connection.send(...rest.map(({ streamId }) => answer(streamId)));
    const ends = await Promise.all(results);
    assert.deepEqual(new Set(ends.map(inShort)), new Set(['200 ok']));
    assert.equal(peer.connections.length, 1);
  });

  it('stop a request that waits for a stream only until its time is up', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const waits = post(pool);
    await peer.open({ maxConcurrentStreams: 0 });
    const late = post(pool, { startBefore: performance.now() + 20 });
    assert.equal(inShort(await late), 'expired');
    await pool[Symbol.asyncDispose]();
    assert.equal(inShort(await waits), 'closed');
  });

  it('change the size of the header table, which the next block begins by saying', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const first = post(pool, { note: ECHO });
    const connection = await peer.open();
    for (const size of [0, 1, 4_096, 65_536, 100, 4_096]) {
      connection.send(settings({ headerTableSize: size }));
      await connection.settle();
    }
    const before = await connection.request();
    connection.send(answer(before.streamId));
    assert.equal(inShort(await first), '200 ok');

    // 001 and five bits: a size update. Larger tables than ours are not made use of.
    const expected = [
      { sizes: [0], start: [0x20] },
      { sizes: [1], start: [0x21] },
      { sizes: [4_096], start: [0x3f, 0xe1, 0x1f] },
      { sizes: [65_536], start: [] },
      { sizes: [100], start: [0x3f, 0x45] },
      { sizes: [0, 4_096], start: [0x20, 0x3f, 0xe1, 0x1f] },
      { sizes: [200, 100, 4_096], start: [0x3f, 0x45, 0x3f, 0xe1, 0x1f] },
    ];
    for (const { sizes, start } of expected) {
      connection.send(...sizes.map((headerTableSize) => settings({ headerTableSize })));
      await connection.settle();
      const result = post(pool, { note: ECHO });
      const request = await connection.request();
      const { length } = start;
      assert.deepEqual([...request.block.subarray(0, length)], start, `of ${sizes.join(', ')}`);
      assert.notEqual((request.block[length] ?? 0) & 0xe0, 0x20, 'no further update');
      assert.equal(request.fields.get('x-note'), ECHO);
      assert.equal(request.fields.get('apns-topic'), 'com.acme.shop');
      connection.send(answer(request.streamId));
      assert.equal(inShort(await result), '200 ok');
    }
  });

  it('that name two sizes of the table in one frame make the next block say both', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const connecting = post(pool);
    const connection = await peer.open();
    connection.send(answer((await connection.request()).streamId));
    assert.equal(inShort(await connecting), '200 ok');
    const sizes = [100, 4_096].map((headerTableSize) => settings({ headerTableSize }).subarray(9));
    connection.send(frame(TYPE.settings, 0, 0, Buffer.concat(sizes)));
    await connection.settle();
    const result = post(pool);
    const { block, streamId } = await connection.request();
    assert.deepEqual([...block.subarray(0, 5)], [0x3f, 0x45, 0x3f, 0xe1, 0x1f]);
    connection.send(answer(streamId));
    assert.equal(inShort(await result), '200 ok');
  });

  it('bound the list of fields: what is larger is given back', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const fits = post(pool);
    const connection = await peer.open({ maxHeaderListSize: 1_000 });
    const { streamId } = await connection.request();
    connection.send(answer(streamId));
    assert.equal(inShort(await fits), '200 ok');
    assert.equal(inShort(await post(pool, { note: 'x'.repeat(1_000) })), 'invalid_request');
    assert.equal(inShort(await post(pool, { path: `/${'x'.repeat(1_000)}` })), 'invalid_request');
  });

  it('of unknown kinds are ignored, and acknowledged', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const connection = await peer.accept();
    const unknown = Buffer.from('000006040000000000ffff00000001', 'hex');
    connection.send(unknown);
    const { streamId } = await connection.request();
    connection.send(answer(streamId));
    assert.equal(inShort(await result), '200 ok');
  });
});
