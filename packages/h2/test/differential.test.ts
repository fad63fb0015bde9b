// The same requests through our pool and through `node:http2` as client, to a server of
// `node:http2` that writes down what it gets: both sides have to see the same.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  connect,
  createSecureServer,
  type ClientHttp2Session,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Http2Pool, RequestShape, type Http2Result } from '@homing/h2';
import { createSeededRandom, freshSeed, type SeededRandom } from '../../../test/seeded-random.ts';
import { poolOptions } from './pool-options.ts';
import { PEER_CA, PEER_IDENTITY } from './raw-peer.ts';

const ROUNDS = 4;
const REQUESTS = 60;
const TEXT = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index));
const SHAPES = [
  { 'apns-topic': 'com.acme.shop', 'apns-priority': '10' },
  { 'x-kind': 'other' },
].map((constants) => new RequestShape({ constants, varying: ['x-number', 'x-note'] }));

interface Planned {
  readonly number: number;
  readonly shape: RequestShape;
  readonly path: string;
  readonly note: string;
  readonly body: Buffer;
  readonly answer: PlannedAnswer;
}

interface PlannedAnswer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly pieces: readonly string[];
  readonly trailers: Readonly<Record<string, string>> | null;
  readonly isAnnounced: boolean;
}

/** Node's types leave the raw fields out. */
type StreamEvent = [ServerHttp2Stream, IncomingHttpHeaders, number, readonly string[]];

/** What a request looked like to the server, or an answer to the client. */
interface Seen {
  readonly fields: readonly string[];
  readonly body: string;
}

describe('our pool and node:http2 as clients', () => {
  it('say the same to a server and hear the same from it', async (t) => {
    const random = createSeededRandom(freshSeed());
    t.diagnostic(`seed ${random.seed}`);
    for (let round = 0; round < ROUNDS; round += 1) {
      const plan = Array.from({ length: REQUESTS }, (_, number) => planRequest(random, number));
      const settings = randomSettings(random);
      const seen: ReadonlyMap<number, Seen>[] = [];
      const heard: (readonly Seen[])[] = [];
      for (const send of [sendWithPool, sendWithNode]) {
        await using server = await startServer(plan, settings, random);
        heard.push(await send(server.origin, plan));
        seen.push(server.seen);
      }
      assert.equal(seen[0]?.size, REQUESTS);
      assert.deepEqual(seen[0], seen[1]);
      const expected = plan.map(expectedAnswer);
      for (const answers of heard) assert.deepEqual(answers, expected);
    }
  });
});

function planRequest(random: SeededRandom, number: number): Planned {
  const size = random.pick([0, 1, 150, 4_096, random.below(20_000), random.below(200 * 1_024)]);
  return {
    number,
    shape: random.pick(SHAPES),
    path: `/${encodeURIComponent(text(random, random.pick([0, 10, 74, 300])))}`,
    note: text(random, random.pick([0, 1, 36, 127, 128, random.below(20_000)])).trim(),
    body: Buffer.alloc(size, text(random, 97) || 'x'),
    answer: planAnswer(random),
  };
}

function planAnswer(random: SeededRandom): PlannedAnswer {
  const pieces = Array.from({ length: random.below(6) }, () =>
    text(random, random.pick([0, 1, 100, random.below(10_000)])),
  );
  return {
    status: random.pick([200, 200, 400, 410, 503]),
    fields: Object.fromEntries(
      Array.from({ length: random.below(5) }, (_, index) => [
        random.pick([`x-${index}`, 'apns-id', 'retry-after']),
        text(random, random.pick([0, 1, 40, 3_000])).trim(),
      ]),
    ),
    pieces,
    trailers: random.chance(0.2) ? { 'x-trailer': text(random, 20).trim() } : null,
    isAnnounced: random.chance(0.2),
  };
}

function randomSettings(random: SeededRandom): Settings {
  return {
    headerTableSize: random.pick([0, 1, 200, 4_096, 65_536]),
    initialWindowSize: random.pick([100, 1_000, 65_535, 2 ** 20]),
    maxFrameSize: random.pick([16_384, 20_000, 2 ** 20]),
    maxConcurrentStreams: random.pick([1, 3, 20, 100]),
  };
}

interface Server extends AsyncDisposable {
  readonly origin: string;
  readonly seen: ReadonlyMap<number, Seen>;
}

/** Changes its settings now and then while requests are under way. */
async function startServer(
  plan: readonly Planned[],
  settings: Settings,
  random: SeededRandom,
): Promise<Server> {
  const server: Http2SecureServer = createSecureServer({ ...PEER_IDENTITY, settings });
  const { maxConcurrentStreams } = settings;
  const seen = new Map<number, Seen>();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('session', (session: ServerHttp2Session) => session.on('error', () => {}));
  const onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    raw: readonly string[],
  ): void => {
    stream.on('error', () => {});
    // A lower limit of streams would refuse some, which `node:http2` as a client does not resend.
    if (random.chance(0.05))
      stream.session?.settings({ ...randomSettings(random), maxConcurrentStreams });
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.once('end', () => {
      const number = Number(headers['x-number']);
      seen.set(number, { fields: pairs(raw), body: digest(Buffer.concat(chunks)) });
      answerAsPlanned(stream, plan[number]?.answer ?? assert.fail('an unknown request'));
    });
  };
  server.on('stream', (...[stream, headers, , raw]: StreamEvent) => onStream(stream, headers, raw));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function answerAsPlanned(stream: ServerHttp2Stream, answer: PlannedAnswer): void {
  const { status, fields, pieces, trailers, isAnnounced } = answer;
  if (isAnnounced) stream.additionalHeaders({ ':status': 103, link: '</x>' });
  const options = { sendDate: false, waitForTrailers: trailers !== null };
  stream.respond({ ':status': status, ...fields }, options);
  if (trailers !== null) stream.once('wantTrailers', () => stream.sendTrailers(trailers));
  // No empty ones: behind those, Node 24 sends bytes of memory that is not the string's any more.
  for (const piece of pieces.filter(({ length }) => length > 0)) stream.write(piece);
  stream.end();
}

async function sendWithPool(origin: string, plan: readonly Planned[]): Promise<readonly Seen[]> {
  await using pool = new Http2Pool(poolOptions(origin, { maxStreams: 20, maxConnections: 2 }));
  const results = plan.map(({ shape, path, number, note, body }) =>
    pool.request(
      { shape, path, values: [String(number), note], body },
      { startBefore: performance.now() + 60_000, signal: new AbortController().signal },
    ),
  );
  return (await Promise.all(results)).map(ofAnswer);
}

function ofAnswer(result: Http2Result): Seen {
  assert(result.kind === 'answer', JSON.stringify(result));
  assert.equal(result.fields[0]?.value, String(result.status));
  const raw = result.fields.flatMap(({ name, value }) => [name, value]);
  return { fields: pairs(raw), body: digest(Buffer.from(result.body)) };
}

async function sendWithNode(origin: string, plan: readonly Planned[]): Promise<readonly Seen[]> {
  const session = connect(origin, { ca: PEER_CA });
  await once(session, 'remoteSettings');
  const answers = await Promise.all(plan.map((request) => sendOne(session, request)));
  session.close();
  return answers;
}

async function sendOne(session: ClientHttp2Session, request: Planned): Promise<Seen> {
  const { shape, path, number, note, body } = request;
  const headers = {
    ':method': 'POST',
    ':path': path,
    authorization: 'bearer x',
    ...Object.fromEntries(shape.constants),
    'x-number': String(number),
    'x-note': note,
    'content-length': String(body.length),
  };
  const stream = session.request(headers, { endStream: body.length === 0 });
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = once(stream, 'close');
  const answered = once(stream, 'response');
  if (body.length > 0) stream.end(body);
  const [, , raw] = await answered;
  // Not to its end as a stream: an answer may come before the whole request is out.
  await closed;
  return { fields: pairs(raw as readonly string[]), body: digest(Buffer.concat(chunks)) };
}

function expectedAnswer({ answer: { status, fields, pieces } }: Planned): Seen {
  const raw = Object.entries({ ':status': String(status), ...fields }).flat();
  return { fields: pairs(raw), body: digest(Buffer.from(pieces.join(''))) };
}

function pairs(raw: readonly string[]): readonly string[] {
  const lines = Array.from(
    { length: raw.length / 2 },
    (_, index) => `${raw[2 * index]}: ${raw[2 * index + 1]}`,
  );
  // The port differs from server to server.
  return lines.map((line) => line.replace(/^(:authority: .*):\d+$/, '$1')).toSorted();
}

function digest(bytes: Buffer): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}

function text(random: SeededRandom, length: number): string {
  return Array.from({ length }, () => random.pick(TEXT)).join('');
}
