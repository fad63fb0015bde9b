// Answers in every shape that the protocol knows, however the network cuts them up.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldValue, Http2Pool, type Http2Answer } from '@homing/h2';
import { inShort, poolOptions, post, postMany } from './pool-options.ts';
import {
  answer,
  CODE,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  headers,
  indexed,
  literals,
  PADDED,
  padded,
  ping,
  PRIORITY,
  TYPE,
  uint32,
  windowUpdate,
} from './raw-frame.ts';
import { startRawPeer } from './raw-peer.ts';

const BODY = 'short and stout';
const HEAD = literals([
  [':status', '418'],
  ['retry-after', '7'],
]);
const WEIGHT = Buffer.concat([uint32(0x80000001), Buffer.from([255])]);

/** The same answer, in different words. */
const FORMS: Readonly<Record<string, (id: number) => readonly Buffer[]>> = {
  'in two frames': (id) => [headers(id, HEAD), data(id, BODY, END_STREAM)],
  'with padding': (id) => [
    headers(id, padded(HEAD, 255), PADDED),
    data(id, padded(Buffer.from(BODY), 200), PADDED | END_STREAM),
  ],
  'with padding of no length': (id) => [
    headers(id, padded(HEAD, 0), PADDED),
    data(id, padded(Buffer.from(BODY), 0), PADDED | END_STREAM),
  ],
  'with priority': (id) => [
    headers(id, Buffer.concat([WEIGHT, HEAD]), PRIORITY),
    frame(TYPE.priority, 0, id, WEIGHT),
    data(id, BODY, END_STREAM),
  ],
  'with padding and priority': (id) => [
    headers(id, padded(Buffer.concat([WEIGHT, HEAD]), 3), PADDED | PRIORITY),
    data(id, BODY, END_STREAM),
  ],
  'after interim answers': (id) => [
    headers(id, literals([[':status', '103']])),
    headers(
      id,
      literals([
        [':status', '100'],
        ['link', '</x>'],
      ]),
    ),
    headers(id, HEAD),
    data(id, BODY, END_STREAM),
  ],
  'with trailers': (id) => [
    headers(id, HEAD),
    data(id, BODY),
    headers(id, literals([['grpc-status', '0']]), END_STREAM),
  ],
  'in pieces, some of them empty': (id) => [
    headers(id, HEAD),
    ...Array.from(BODY, (letter) => Buffer.concat([data(id, letter), data(id, '')])),
    data(id, padded(Buffer.alloc(0), 9), PADDED),
    data(id, '', END_STREAM),
  ],
  'among frames of other kinds': (id) => [
    frame(0xbe, 0xff, id, Buffer.from('unknown')),
    headers(id, HEAD),
    ping('between!'),
    data(id, BODY.slice(0, 5)),
    windowUpdate(0, 1),
    windowUpdate(id, 1),
    frame(0xef, 0, 0, Buffer.alloc(16_384)),
    data(id, BODY.slice(5), END_STREAM),
  ],
  'with flags that mean nothing': (id) => [
    headers(id, HEAD, 0xd2),
    data(id, BODY, END_STREAM | 0xf6),
  ],
  'with the reserved bit set': (id) =>
    [headers(id, HEAD), data(id, BODY, END_STREAM)].map((bytes) => {
      bytes.writeUInt8(0x80, 5);
      return bytes;
    }),
};

function assertRead(result: Http2Answer): void {
  assert.equal(inShort(result), `418 ${BODY}`);
  assert.equal(fieldValue(result.fields, 'retry-after'), '7');
  assert.equal(result.authorization, 'bearer x');
}

describe('an answer', () => {
  for (const [title, form] of Object.entries(FORMS)) {
    it(`is read ${title}, whole and byte by byte`, async () => {
      await using peer = await startRawPeer();
      await using pool = new Http2Pool(poolOptions(peer.origin));
      const results = postMany(pool, 2);
      const connection = await peer.open();
      const [first, second] = await connection.requests(2);
      connection.send(...form(first?.streamId ?? 0));
      connection.sendByteByByte(...form(second?.streamId ?? 0));
      for (const result of await Promise.all(results)) {
        assert(result.kind === 'answer');
        assertRead(result);
      }
    });
  }

  it('is read with its head in two frames, cut at every byte', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const results = postMany(pool, HEAD.length + 1);
    const connection = await peer.open();
    const requests = await connection.requests(HEAD.length + 1);
    for (const [cut, { streamId }] of requests.entries()) {
      connection.send(
        frame(TYPE.headers, 0, streamId, HEAD.subarray(0, cut)),
        frame(TYPE.continuation, END_HEADERS, streamId, HEAD.subarray(cut)),
        data(streamId, BODY, END_STREAM),
      );
    }
    for (const result of await Promise.all(results)) {
      assert(result.kind === 'answer');
      assertRead(result);
    }
  });

  it('is read when chunks end at every byte of it', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const { length } = answer(1, 418, BODY, [['retry-after', '7']]);
    const results = postMany(pool, length);
    const connection = await peer.open();
    const requests = await connection.requests(length);
    let open: Buffer = Buffer.alloc(0);
    for (const [cut, { streamId }] of requests.entries()) {
      const bytes = answer(streamId, 418, BODY, [['retry-after', '7']]);
      connection.send(open, bytes.subarray(0, cut));
      open = bytes.subarray(cut);
    }
    connection.send(open);
    for (const result of await Promise.all(results)) {
      assert(result.kind === 'answer');
      assertRead(result);
    }
  });

  it('to each of many requests finds its own, in whatever order they come', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const results = postMany(pool, 100);
    const connection = await peer.open();
    const requests = await connection.requests(100);
    const bytes = requests
      .toReversed()
      .map(({ streamId, fields }) => answer(streamId, 200, fields.get('x-note')));
    connection.send(...bytes);
    for (const [index, result] of results.entries()) {
      assert.equal(inShort(await result), `200 ${index}`);
    }
  });

  it('without a body ends with its head', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const connection = await peer.open();
    connection.send(answer((await connection.request()).streamId, 204, ''));
    assert.equal(inShort(await result), '204');
  });

  it('of many parts is put together, characters across two of them too', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const body = '€ÿ𝄞'.repeat(2_000);
    const result = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    connection.send(headers(streamId, HEAD));
    const bytes = Buffer.from(body);
    connection.send(...Array.from(bytes, (byte) => data(streamId, Buffer.from([byte]))));
    connection.send(data(streamId, '', END_STREAM));
    assert.equal(inShort(await result), `418 ${body}`);
  });

  it('that breaks the rules of a message resets its stream, and no other', async () => {
    const broken: Readonly<Record<string, (id: number) => readonly Buffer[]>> = {
      'no status': (id) => [headers(id, literals([['a', 'b']]))],
      'status not first': (id) => [
        headers(
          id,
          literals([
            ['a', 'b'],
            [':status', '200'],
          ]),
        ),
      ],
      'status no number': (id) => [headers(id, literals([[':status', '2000']]))],
      'interim to the end': (id) => [headers(id, literals([[':status', '100']]), END_STREAM)],
      'body before the head': (id) => [data(id, 'x')],
    };
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const other = post(pool);
    const connection = await peer.open();
    const { streamId: otherId } = await connection.request();
    for (const [title, form] of Object.entries(broken)) {
      const result = post(pool);
      const { streamId } = await connection.request();
      connection.send(...form(streamId));
      assert.equal(inShort(await result), 'NETWORK_AFTER_SEND', title);
      assert.equal(await connection.resetCode(streamId), CODE.protocolError, title);
    }
    connection.send(answer(otherId));
    assert.equal(inShort(await other), '200 ok');
  });

  it('keeps its status when a second head follows that is none', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const result = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    connection.send(headers(streamId, HEAD), headers(streamId, HEAD));
    assert.equal(inShort(await result), '418');
    assert.equal(await connection.resetCode(streamId), CODE.protocolError);
  });

  it('that comes too late is decoded, so that later ones mean what they say', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const late = post(pool, { answerTimeoutMs: 20 });
    const connection = await peer.open();
    const { streamId } = await connection.request();
    assert.equal(inShort(await late), 'TIMEOUT');
    assert.equal(await connection.resetCode(streamId), CODE.cancel);
    const status = literals([[':status', '200']]);
    connection.send(
      headers(streamId, Buffer.concat([status, indexed('x-new', 'learned late')])),
      data(streamId, 'late'),
      headers(streamId, literals([['x-trailer', '']]), END_STREAM),
    );
    const next = post(pool);
    const { streamId: nextId } = await connection.request();
    connection.send(headers(nextId, Buffer.concat([status, Buffer.from([0x80 + 62])]), END_STREAM));
    const result = await next;
    assert(result.kind === 'answer');
    assert.equal(fieldValue(result.fields, 'x-new'), 'learned late');
  });
});
