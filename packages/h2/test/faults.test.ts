// What no peer may send: the connection ends with the code that RFC 9113 gives, every request has a
// result, and the next one goes out on another connection.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Http2Pool } from '@homing/h2';
import { inShort, poolOptions, post, postMany } from './pool-options.ts';
import {
  ACK,
  answer,
  CODE,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  goaway,
  headers,
  indexed,
  literals,
  PADDED,
  ping,
  PRIORITY,
  rstStream,
  SETTING,
  settings,
  TYPE,
  uint32,
  windowUpdate,
} from './raw-frame.ts';
import { startRawPeer } from './raw-peer.ts';

const OK = literals([[':status', '200']]);
const LARGEST = 2 ** 31 - 1;

function empty(type: number, flags: number, streamId: number): Buffer {
  return frame(type, flags, streamId, Buffer.alloc(0));
}

function setting(id: number, value: number): Buffer {
  const entry = Buffer.alloc(6);
  entry.writeUInt16BE(id, 0);
  entry.writeUInt32BE(value, 2);
  return frame(TYPE.settings, 0, 0, entry);
}

function many(count: number, make: (index: number) => Buffer): readonly Buffer[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

/** A header block of size updates and then fields is the only order that there may be. */
const LATE_UPDATE = Buffer.concat([OK, Buffer.from([0x20])]);

type Faulty = (id: number) => readonly Buffer[];

const PROTOCOL_ERRORS: Readonly<Record<string, Faulty>> = {
  'DATA on stream 0': () => [data(0, 'x')],
  'DATA on an even stream': () => [data(2, 'x')],
  'DATA on a stream that is not open yet': (id) => [data(id + 2, 'x')],
  'HEADERS on stream 0': () => [headers(0, OK)],
  'HEADERS on an even stream': () => [headers(2, OK)],
  'HEADERS on a stream that is not open yet': (id) => [headers(id + 2, OK)],
  'RST_STREAM on stream 0': () => [rstStream(0, CODE.cancel)],
  'RST_STREAM on a stream that is not open yet': (id) => [rstStream(id + 2, CODE.cancel)],
  'WINDOW_UPDATE on a stream that is not open yet': (id) => [windowUpdate(id + 2, 1)],
  'SETTINGS on a stream': (id) => [frame(TYPE.settings, 0, id, Buffer.alloc(0))],
  'PING on a stream': (id) => [frame(TYPE.ping, 0, id, Buffer.alloc(8))],
  'GOAWAY on a stream': (id) => [frame(TYPE.goaway, 0, id, Buffer.alloc(8))],
  'CONTINUATION of nothing': (id) => [frame(TYPE.continuation, END_HEADERS, id, OK)],
  'CONTINUATION of another stream': (id) => [
    frame(TYPE.headers, 0, id, OK),
    frame(TYPE.continuation, END_HEADERS, id - 2, OK),
  ],
  'CONTINUATION after the end of a block': (id) => [
    headers(id, OK),
    frame(TYPE.continuation, END_HEADERS, id, OK),
  ],
  'HEADERS inside a block': (id) => [frame(TYPE.headers, 0, id, OK), headers(id, OK)],
  'PING inside a block': (id) => [frame(TYPE.headers, 0, id, OK), ping('inside!!')],
  'an unknown frame inside a block': (id) => [frame(TYPE.headers, 0, id, OK), empty(99, 0, 0)],
  PUSH_PROMISE: (id) => [frame(TYPE.pushPromise, END_HEADERS, id, Buffer.concat([uint32(2), OK]))],
  'DATA with more padding than payload': (id) => [
    headers(id, OK),
    frame(TYPE.data, PADDED, id, Buffer.from([5, 1, 2, 3, 4])),
  ],
  'HEADERS with more padding than payload': (id) => [headers(id, Buffer.from([200, 1]), PADDED)],
  'WINDOW_UPDATE by nothing': (id) => [windowUpdate(id, 0)],
  'WINDOW_UPDATE of the connection by nothing': () => [windowUpdate(0, 0)],
  'SETTINGS that enable push': () => [settings({ enablePush: 1 })],
  'SETTINGS with a frame size too small': () => [settings({ maxFrameSize: 16_383 })],
  'SETTINGS with a frame size too large': () => [settings({ maxFrameSize: 2 ** 24 })],
};

const FRAME_SIZE_ERRORS: Readonly<Record<string, Faulty>> = {
  'a frame of 16,385 bytes': (id) => [headers(id, OK), data(id, Buffer.alloc(16_385))],
  'an unknown frame of 16 MiB': () => [Buffer.from('ffffff630000000000', 'hex')],
  'SETTINGS of 5 bytes': () => [frame(TYPE.settings, 0, 0, Buffer.alloc(5))],
  'an acknowledgement with SETTINGS': () => [frame(TYPE.settings, ACK, 0, Buffer.alloc(6))],
  'PING of 7 bytes': () => [ping('1234567')],
  'PING of 9 bytes': () => [ping('123456789')],
  'RST_STREAM of 3 bytes': (id) => [frame(TYPE.rstStream, 0, id, Buffer.alloc(3))],
  'WINDOW_UPDATE of 5 bytes': () => [frame(TYPE.windowUpdate, 0, 0, Buffer.alloc(5))],
  'GOAWAY of 7 bytes': () => [frame(TYPE.goaway, 0, 0, Buffer.alloc(7))],
  'padding without a length': (id) => [empty(TYPE.headers, END_HEADERS | PADDED, id)],
  'HEADERS that end in their priority': (id) => [headers(id, Buffer.alloc(4), PRIORITY)],
};

const FLOW_CONTROL_ERRORS: Readonly<Record<string, Faulty>> = {
  'a window of the connection over 31 bits': () => [
    windowUpdate(0, LARGEST),
    windowUpdate(0, LARGEST),
  ],
  'a window of a stream over 31 bits': (id) => [windowUpdate(id, LARGEST)],
  'an initial window over 31 bits': () => [setting(SETTING.initialWindowSize, 2 ** 31)],
  'an initial window that lifts that of a stream over 31 bits': (id) => [
    windowUpdate(id, 100_000),
    settings({ initialWindowSize: LARGEST }),
  ],
};

const COMPRESSION_ERRORS: Readonly<Record<string, Faulty>> = {
  'an index that no table has': (id) => [headers(id, Buffer.from([0xff, 0x7f]))],
  'the index 0': (id) => [headers(id, Buffer.from([0x80]))],
  'a literal that is cut off': (id) => [headers(id, OK.subarray(0, 5))],
  'an integer without an end': (id) => [headers(id, Buffer.alloc(64, 0xff))],
  'a size update above our limit': (id) => [headers(id, Buffer.from([0x3f, 0xe2, 0x1f]))],
  'a size update behind a field': (id) => [headers(id, LATE_UPDATE)],
  'a Huffman code that is none': (id) => [headers(id, Buffer.from([0, 0x81, 0xff, 0]))],
  'a bad block of a stream that nobody waits for': (id) => [
    rstStream(id, CODE.cancel),
    headers(id, Buffer.from([0x80])),
  ],
};

/** Each is more than any peer needs, and costs us work for nothing. */
const FLOODS: Readonly<Record<string, Faulty>> = {
  CONTINUATION: (id) => [
    frame(TYPE.headers, 0, id, OK),
    ...many(64, () => frame(TYPE.continuation, 0, id, literals([['x', 'y'.repeat(1_000)]]))),
  ],
  'CONTINUATION of large frames': (id) => [
    frame(TYPE.headers, 0, id, OK),
    ...many(5, () => frame(TYPE.continuation, 0, id, Buffer.alloc(16_384))),
  ],
  'empty CONTINUATION': (id) => [
    frame(TYPE.headers, 0, id, OK),
    ...many(10_000, () => empty(TYPE.continuation, 0, id)),
  ],
  SETTINGS: () => many(10_000, () => settings()),
  'acknowledgements of SETTINGS': () => many(10_000, () => empty(TYPE.settings, ACK, 0)),
  PING: () => many(10_000, () => ping('flooded!')),
  'answers to no PING': () => many(10_000, () => ping('flooded!', ACK)),
  RST_STREAM: (id) => many(10_000, () => rstStream(id, CODE.cancel)),
  'empty DATA': (id) => [headers(id, OK), ...many(10_000, () => data(id, ''))],
  'empty DATA with padding': (id) => [
    headers(id, OK),
    ...many(10_000, () => frame(TYPE.data, PADDED, id, Buffer.from([3, 0, 0, 0]))),
  ],
  'empty DATA of an ended stream': (id) => [
    answer(id),
    ...many(10_000, () => data(id, '', END_STREAM)),
  ],
  'DATA of an ended stream': (id) => [answer(id), ...many(10_000, () => data(id, 'late'))],
  WINDOW_UPDATE: (id) => many(10_000, () => windowUpdate(id, 1)),
  'WINDOW_UPDATE of the connection': () => many(10_000, () => windowUpdate(0, 1)),
  'interim answers': (id) => many(10_000, () => headers(id, literals([[':status', '102']]))),
  'answers to an ended stream': (id) => [
    answer(id),
    ...many(10_000, () => headers(id, OK, END_STREAM)),
  ],
  PRIORITY: (id) => many(10_000, () => frame(TYPE.priority, 0, id, Buffer.alloc(5))),
  'unknown frames': () => many(10_000, () => empty(0xaa, 0, 0)),
  GOAWAY: () => many(10_000, () => goaway(LARGEST, CODE.noError)),
};

const FAULTS: readonly (readonly [number, Readonly<Record<string, Faulty>>])[] = [
  [CODE.protocolError, PROTOCOL_ERRORS],
  [CODE.frameSizeError, FRAME_SIZE_ERRORS],
  [CODE.flowControlError, FLOW_CONTROL_ERRORS],
  [CODE.compressionError, COMPRESSION_ERRORS],
  [CODE.enhanceYourCalm, FLOODS],
];

for (const [code, faults] of FAULTS) {
  const name = Object.entries(CODE).find(([, value]) => value === code)?.[0];
  describe(`a connection ends with ${name} after`, () => {
    for (const [title, faulty] of Object.entries(faults)) {
      it(title, () => assertEnds(faulty, code));
    }
  });
}

/** The second of two open streams is the one that the fault is about, its body partly unsent. */
async function assertEnds(faulty: Faulty, code: number): Promise<void> {
  await using peer = await startRawPeer();
  await using pool = new Http2Pool(poolOptions(peer.origin));
  const answered = post(pool);
  // Held by the window of the connection, so that the stream's own is not used up.
  const cut = post(pool, { body: Buffer.alloc(70_000) });
  const first = await peer.open({ initialWindowSize: 100_000 });
  await first.request();
  const { streamId } = await first.head();
  first.send(...faulty(streamId));
  assert.equal(await first.goawayCode(), code);
  await first.closed();
  for (const result of [await answered, await cut]) {
    assert.notEqual(result.kind, 'not_started', inShort(result));
  }
  const next = post(pool);
  const second = await peer.open();
  second.send(answer((await second.request()).streamId));
  assert.equal(inShort(await next), '200 ok');
}

describe('a limit', () => {
  it('on the list of fields leaves such an answer unread and the connection as it is', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin));
    const huge = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    // 33 KiB of fields, and one more that only a table that was kept right can know.
    const fields = many(33, (index) => literals([[`x-${index}`, 'y'.repeat(1_000)]]));
    const blocks = [OK, ...fields, indexed('x-last', 'in the table')];
    const block = Buffer.concat(blocks);
    connection.send(
      frame(TYPE.headers, END_STREAM, streamId, block.subarray(0, 16_384)),
      frame(TYPE.continuation, 0, streamId, block.subarray(16_384, 32_768)),
      frame(TYPE.continuation, END_HEADERS, streamId, block.subarray(32_768)),
    );
    assert.equal(inShort(await huge), 'NETWORK_AFTER_SEND');
    const next = post(pool);
    const { streamId: nextId } = await connection.request();
    const head = Buffer.concat([OK, Buffer.from([0x80 + 62])]);
    connection.send(headers(nextId, head), data(nextId, 'ok', END_STREAM));
    const result = await next;
    assert(result.kind === 'answer');
    assert.deepEqual(result.fields.at(-1), { name: 'x-last', value: 'in the table' });
  });

  it('on a body cancels its stream and keeps the status', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxBodyBytes: 1_000 }));
    const results = postMany(pool, 2);
    const connection = await peer.open();
    const [one, two] = await connection.requests(2);
    const [fits = 0, exceeds = 0] = [one?.streamId, two?.streamId];
    connection.send(headers(fits, OK), data(fits, 'x'.repeat(1_000), END_STREAM));
    connection.send(headers(exceeds, OK), data(exceeds, 'x'.repeat(1_001)));
    assert.deepEqual((await Promise.all(results)).map(inShort), [
      `200 ${'x'.repeat(1_000)}`,
      '200',
    ]);
    assert.equal(await connection.resetCode(exceeds), CODE.cancel);
  });

  it('on all DATA of the connection moves on, for DATA that nobody wants too', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxBodyBytes: 1_000 }));
    const result = post(pool);
    const connection = await peer.open();
    const { streamId } = await connection.request();
    const opened = await connection.next(TYPE.windowUpdate);
    const window = 65_535 + opened.payload.readUInt32BE(0);
    assert.equal(window, 16 * 2 ** 20);
    // What is cut off still counts, until the window is opened again.
    connection.send(headers(streamId, OK));
    const piece = data(streamId, Buffer.alloc(16_384));
    for (let bytes = 0; bytes <= window / 2; bytes += 16_384) connection.send(piece);
    const { payload } = await connection.next(TYPE.windowUpdate);
    assert.equal(payload.readUInt32BE(0), window / 2);
    assert.equal(inShort(await result), '200');
    await connection.settle();
    assert.equal(connection.count(TYPE.goaway), 0);
  });

  it('on frames does not count what lets a body go, however little that is', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 1 }));
    const result = post(pool, { body: Buffer.alloc(20_000) });
    const connection = await peer.open({ initialWindowSize: 0 });
    const head = await connection.head();
    connection.send(...many(20_000, () => windowUpdate(head.streamId, 1)));
    assert.equal((await connection.rest(head)).body.length, 20_000);
    connection.send(answer(head.streamId));
    assert.equal(inShort(await result), '200 ok');
  });

  it('on frames leaves room for windows that a peer opens with every few bytes', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 1 }));
    const results = postMany(pool, 300, { body: Buffer.alloc(64 * 1_024) });
    const connection = await peer.open({ initialWindowSize: 2 ** 20 });
    connection.send(windowUpdate(0, 2 ** 30));
    for (let count = 0; count < results.length; count += 1) {
      const { streamId } = await connection.request();
      connection.send(
        ...many(16, () => Buffer.concat([windowUpdate(0, 4_096), windowUpdate(streamId, 4_096)])),
        answer(streamId),
      );
    }
    assert.deepEqual(new Set((await Promise.all(results)).map(inShort)), new Set(['200 ok']));
  });

  it('on frames leaves room for all that a peer has to say to a thousand requests', async () => {
    await using peer = await startRawPeer();
    await using pool = new Http2Pool(poolOptions(peer.origin, { maxStreams: 1_000 }));
    const results = postMany(pool, 1_000, { body: 'x' });
    const connection = await peer.open();
    const requests = await connection.requests(1_000);
    connection.send(
      ...requests.flatMap(({ streamId }) => [
        windowUpdate(streamId, 1),
        windowUpdate(0, 1),
        headers(streamId, literals([[':status', '103']])),
        headers(streamId, OK),
        data(streamId, ''),
        data(streamId, 'ok'),
        headers(streamId, literals([['x', 'y']]), END_STREAM),
        rstStream(streamId, CODE.noError),
      ]),
    );
    const ends = new Set((await Promise.all(results)).map(inShort));
    assert.deepEqual(ends, new Set(['200 ok']));
  });
});
