import assert from 'node:assert/strict';
import { RequestShape } from '@homing/h2';
import type { SeededRandom } from '../../../test/seeded-random.ts';
import { Connection } from '../src/connection.ts';
import type { TlsSocket, TlsSocketEvents } from '../src/tls-socket.ts';
import type { FuzzTarget } from './hpack/fuzz-target.ts';
import { poolOptions } from './pool-options.ts';
import {
  answer,
  data,
  END_HEADERS,
  END_STREAM,
  frame,
  goaway,
  headers,
  indexed,
  literals,
  PADDED,
  padded,
  ping,
  rstStream,
  settings,
  TYPE,
  windowUpdate,
} from './raw-frame.ts';

const REQUESTS = 3;
const SHAPE = new RequestShape({ constants: { 'apns-topic': 'x' }, varying: ['x-note'] });
const PATIENT = { startBefore: Number.POSITIVE_INFINITY, signal: new AbortController().signal };
const OK = literals([[':status', '200']]);
/** The types of frames that a client without server push and priorities has any use for. */
const OURS: ReadonlySet<number> = new Set([
  TYPE.data,
  TYPE.headers,
  TYPE.rstStream,
  TYPE.settings,
  TYPE.ping,
  TYPE.goaway,
  TYPE.windowUpdate,
  TYPE.continuation,
]);

/** What a peer may say, a few times out of many that make sense. */
const SAYINGS: readonly ((random: SeededRandom) => Buffer)[] = [
  (random) => answer(streamOf(random), 200, 'ok'.repeat(random.below(20))),
  (random) => answer(streamOf(random), 410, '', [['apns-id', 'x']]),
  (random) => headers(streamOf(random), OK),
  (random) => headers(streamOf(random), Buffer.concat([OK, indexed('x-new', 'value')])),
  (random) => headers(streamOf(random), Buffer.concat([OK, Buffer.from([0x80 + 62])])),
  (random) => headers(streamOf(random), padded(OK, random.below(9)), PADDED),
  (random) => headers(streamOf(random), literals([[':status', '103']])),
  (random) => headers(streamOf(random), literals([['x-trailer', '']]), END_STREAM),
  (random) => data(streamOf(random), 'x'.repeat(random.below(40)), random.below(2)),
  (random) => data(streamOf(random), padded(Buffer.from('x'), random.below(9)), PADDED),
  (random) => rstStream(streamOf(random), random.below(14)),
  (random) => goaway(streamOf(random), random.below(3), '{"reason":"Shutdown"}'),
  (random) => windowUpdate(streamOf(random), 1 + random.below(1_000)),
  (random) => windowUpdate(0, 1 + random.below(2 ** 31 - 1)),
  (random) => settings({ initialWindowSize: random.below(2 ** 17) }),
  (random) =>
    settings({ maxConcurrentStreams: random.below(5), headerTableSize: random.below(99) }),
  () => settings({ maxFrameSize: 20_000, maxHeaderListSize: 1_000 }),
  () => frame(TYPE.settings, 1, 0, Buffer.alloc(0)),
  () => ping('12345678'),
  (random) => {
    const id = streamOf(random);
    const cut = random.below(OK.length + 1);
    return Buffer.concat([
      frame(TYPE.headers, END_STREAM, id, OK.subarray(0, cut)),
      frame(TYPE.continuation, END_HEADERS, id, OK.subarray(cut)),
    ]);
  },
];

function streamOf(random: SeededRandom): number {
  return 1 + 2 * random.below(REQUESTS);
}

/**
 * A whole connection, from bytes of a peer to results of requests, on a socket that is none. Fed
 * with the same bytes in one chunk and in many, it has to say and do the same; when it ends, each
 * request has had one result.
 */
export function createConnectionTarget(): FuzzTarget {
  return {
    name: 'the HTTP/2 connection',
    createValid(random) {
      const count = 1 + random.below(8);
      return Buffer.concat(Array.from({ length: count }, () => random.pick(SAYINGS)(random)));
    },
    feed(input, random) {
      const inOne = runConnection([input]);
      assert.deepEqual(runConnection(cutUp(input, random)), inOne);
      return inOne.isFaulty ? 'refused' : 'accepted';
    },
  };
}

interface Run {
  readonly results: readonly unknown[];
  readonly written: Buffer;
  readonly isFaulty: boolean;
}

/** The peer says this once three requests are out, of which two are held by their windows. */
function runConnection(chunks: readonly Buffer[]): Run {
  const socket = new SocketOfNone();
  const connection = new Connection(
    poolOptions('https://127.0.0.1:1', { maxBodyBytes: 100 }),
    (_, events) => socket.open(events),
    () => {},
  );
  socket.say(settings({ initialWindowSize: 50 }));
  const results: unknown[][] = [];
  for (let index = 0; index < REQUESTS; index += 1) {
    const given: unknown[] = [];
    results.push(given);
    const body = Buffer.alloc(index * 100);
    const request = { shape: SHAPE, path: '/', values: [String(index)], body };
    connection.post(request, PATIENT, ({ ...result }) => given.push(withoutId(result)));
  }
  for (const chunk of chunks) socket.say(chunk);
  const isFaulty = socket.isEnded && !isGoodbye(socket.written);
  connection.drain();
  socket.close();
  assert.equal(connection.state, 'closed');
  for (const given of results) assert.equal(given.length, 1, 'a request has one result');
  assertFrames(socket.written);
  return { results, written: Buffer.concat(socket.written), isFaulty };
}

/** Two connections have two numbers. */
function withoutId(result: object): object {
  return { ...result, connection: null };
}

/** Whether the last thing that was written is a GOAWAY without an error. */
function isGoodbye(written: readonly Buffer[]): boolean {
  const bytes = Buffer.concat(written);
  return bytes.readUInt32BE(bytes.length - 4) === 0;
}

function assertFrames(written: readonly Buffer[]): void {
  const bytes = Buffer.concat(written);
  let at = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'.length;
  while (at < bytes.length) {
    const type = bytes.readUInt8(at + 3);
    assert(OURS.has(type), `a frame of type ${type}`);
    at += 9 + bytes.readUIntBE(at, 3);
  }
  assert.equal(at, bytes.length, 'the last frame is whole');
}

function cutUp(input: Buffer, random: SeededRandom): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < input.length;) {
    const end = at + 1 + random.below(random.pick([1, 10, 200]));
    chunks.push(input.subarray(at, end));
    at = end;
  }
  return chunks;
}

/** What stands in for a socket: takes everything at once, and hears what it is told. */
class SocketOfNone {
  readonly written: Buffer[] = [];
  #events: TlsSocketEvents | null = null;
  #isEnded = false;

  get isEnded(): boolean {
    return this.#isEnded;
  }

  open(events: TlsSocketEvents): TlsSocket {
    this.#events = events;
    return {
      isFull: false,
      write: (bytes) => {
        if (!this.#isEnded) this.written.push(Buffer.from(bytes));
        return !this.#isEnded;
      },
      end: () => (this.#isEnded = true),
      destroy: () => (this.#isEnded = true),
    };
  }

  /** As a socket does, from a buffer that is used again for something else. */
  say(bytes: Buffer): void {
    if (this.written.length === 0) this.#events?.onOpen();
    const chunk = Buffer.concat([bytes, Buffer.alloc(16, 0xa5)]);
    this.#events?.onBytes(chunk, bytes.length);
    chunk.fill(0x5a);
  }

  close(): void {
    this.#events?.onClose(null);
  }
}
