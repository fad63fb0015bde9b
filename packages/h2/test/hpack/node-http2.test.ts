// What nghttp2, which is inside `node:http2`, encodes must mean the same to our decoder, and the
// other way round, while both sides change the sizes of their tables.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  connect,
  createServer,
  sensitiveHeaders,
  type ClientHttp2Session,
  type Http2Server,
  type OutgoingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import {
  connect as connectSocket,
  createServer as createSocketServer,
  type Socket,
} from 'node:net';
import { describe, test } from 'node:test';
import {
  createSeededRandom,
  freshSeed,
  type SeededRandom,
} from '../../../../test/seeded-random.ts';
import { HpackEncoder } from '../../src/hpack/encoder.ts';
import type { HeaderField } from '../../src/hpack/header-field.ts';
import { encodeBlock } from './block.ts';
import type { StringCoding } from './huffman-encoder.ts';
import { randomFields } from './random-fields.ts';
import { RawPeer } from './raw-peer.ts';

const ROUNDS = 150;
const TABLE_SIZES = [0, 64, 200, 1000, 4096, 20_000];
const CODINGS: readonly StringCoding[] = ['plain', 'shorter'];
const MODES = ['incremental', 'incremental', 'without', 'never'] as const;
const OK: HeaderField = { name: ':status', value: '200' };
/** Names that HTTP/2 forbids, that must be a number, or that stand for several values. */
const SPECIAL = /^(?:content-length|cookie|expect|host|set-cookie|transfer-encoding)$/;

describe('header blocks between our HPACK and that of node:http2', () => {
  for (const strings of CODINGS) {
    test(`node:http2 as client, our strings ${strings}`, async (t) => {
      const random = createSeededRandom(freshSeed());
      t.diagnostic(`seed ${random.seed}`);
      await using stack = new AsyncDisposableStack();
      const { peer, session } = await openWithNodeClient(stack);
      for (let round = 0; round < ROUNDS; round += 1) {
        changeTables(random, peer, session);
        await requestFromNode(random, peer, session, strings);
      }
    });

    test(`node:http2 as server, our strings ${strings}`, async (t) => {
      const random = createSeededRandom(freshSeed());
      t.diagnostic(`seed ${random.seed}`);
      await using stack = new AsyncDisposableStack();
      const { peer, server, session } = await openWithNodeServer(stack);
      for (let round = 0; round < ROUNDS; round += 1) {
        changeTables(random, peer, session);
        await requestToNode(random, peer, server, 2 * round + 1, strings);
      }
    });
  }
});

function changeTables(
  random: SeededRandom,
  peer: RawPeer,
  session: ClientHttp2Session | ServerHttp2Session,
): void {
  if (random.chance(0.1)) peer.announceTableSize(random.pick(TABLE_SIZES));
  if (random.chance(0.1)) peer.announceTableSize(random.pick(TABLE_SIZES));
  if (random.chance(0.1)) session.settings({ headerTableSize: random.pick(TABLE_SIZES) });
  if (random.chance(0.1)) session.settings({ headerTableSize: random.pick(TABLE_SIZES) });
}

async function requestFromNode(
  random: SeededRandom,
  peer: RawPeer,
  session: ClientHttp2Session,
  strings: StringCoding,
): Promise<void> {
  const sent = [...requestFields(random), ...allowedFields(random)];
  const arrival = peer.nextHeaders();
  const request = session.request(nodeHeaders(random, sent), { endStream: true });
  const { streamId, fields } = await arrival;
  assert.deepEqual(sorted(fields), sorted(sent));

  const answer = [OK, ...allowedFields(random)];
  const answered = once(request, 'response');
  const closed = once(request, 'close');
  peer.sendHeaders(
    streamId,
    encodeBlock(peer.encoder, answer, () => random.pick(MODES), strings),
  );
  const [, , raw] = await peer.whileSound(answered);
  assert.deepEqual(pairs(raw as readonly string[]), answer);
  request.resume();
  await peer.whileSound(closed);
}

async function requestToNode(
  random: SeededRandom,
  peer: RawPeer,
  server: Http2Server,
  streamId: number,
  strings: StringCoding,
): Promise<void> {
  const sent = [...requestFields(random), ...allowedFields(random)];
  const arrival = once(server, 'stream');
  peer.sendHeaders(
    streamId,
    encodeBlock(peer.encoder, sent, () => random.pick(MODES), strings),
  );
  const [stream, , , raw] = await peer.whileSound(arrival);
  assert.deepEqual(pairs(raw as readonly string[]), sent);

  const answer = [OK, ...allowedFields(random)];
  const answered = peer.nextHeaders();
  const options = { endStream: true, sendDate: false };
  (stream as ServerHttp2Stream).respond(nodeHeaders(random, answer), options);
  assert.deepEqual(sorted((await answered).fields), sorted(answer));
}

async function openWithNodeClient(
  stack: AsyncDisposableStack,
): Promise<{ readonly peer: RawPeer; readonly session: ClientHttp2Session }> {
  const server = createSocketServer().listen(0, '127.0.0.1');
  stack.defer(() => void server.close());
  await once(server, 'listening');
  const connection = once(server, 'connection');
  const session = connect(`http://127.0.0.1:${portOf(server)}`);
  stack.defer(() => session.destroy());
  const [socket] = await connection;
  stack.defer(() => void (socket as Socket).destroy());
  return {
    peer: new RawPeer(socket as Socket, 'server', new HpackEncoder(8192)),
    session,
  };
}

async function openWithNodeServer(stack: AsyncDisposableStack): Promise<{
  readonly peer: RawPeer;
  readonly server: Http2Server;
  readonly session: ServerHttp2Session;
}> {
  const server = createServer().listen(0, '127.0.0.1');
  stack.defer(() => void server.close());
  await once(server, 'listening');
  const opened = once(server, 'session');
  const socket = connectSocket(portOf(server), '127.0.0.1');
  stack.defer(() => void socket.destroy());
  const peer = new RawPeer(socket, 'client', new HpackEncoder(8192));
  const [session] = await opened;
  stack.defer(() => (session as ServerHttp2Session).destroy());
  return { peer, server, session: session as ServerHttp2Session };
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as { readonly port: number }).port;
}

/** Fields that `node:http2` takes and gives as they are, no name twice. */
function allowedFields(random: SeededRandom): readonly HeaderField[] {
  const fields = randomFields(random, 12).filter(({ name }) => !SPECIAL.test(name));
  return [...new Map(fields.map((field) => [field.name, field])).values()];
}

/** Some of the fields are marked as sensitive, which makes nghttp2 never index them. */
function nodeHeaders(random: SeededRandom, fields: readonly HeaderField[]): OutgoingHttpHeaders {
  const names = fields.map(({ name }) => name).filter(() => random.chance(0.2));
  return {
    ...Object.fromEntries(fields.map(({ name, value }) => [name, value])),
    [sensitiveHeaders]: names.filter((name) => !name.startsWith(':')),
  };
}

function requestFields(random: SeededRandom): readonly HeaderField[] {
  return [
    { name: ':method', value: 'POST' },
    { name: ':scheme', value: 'http' },
    { name: ':path', value: `/${random.below(9)}` },
    { name: ':authority', value: 'example.com' },
  ];
}

function pairs(raw: readonly string[]): readonly HeaderField[] {
  return Array.from({ length: raw.length / 2 }, (_, index) => ({
    name: raw[2 * index] ?? '',
    value: raw[2 * index + 1] ?? '',
  }));
}

/** In an order that does not depend on the one in which node writes them. */
function sorted(fields: readonly HeaderField[]): readonly HeaderField[] {
  return fields.toSorted((left, right) => (left.name < right.name ? -1 : 1));
}
