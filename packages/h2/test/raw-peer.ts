import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { createCertificateAuthority } from '@homing/simulators';
import { HpackDecoder } from '../src/hpack/decoder.ts';
import { END_HEADERS, END_STREAM, ping, settings, TYPE, type RawFrame } from './raw-frame.ts';

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
/** Longer than anything takes on a busy machine; only a bug waits so long. */
const PATIENCE_MS = 10_000;

const authority = await createCertificateAuthority();
const { keyPem, certificatePem } = await authority.issue(['127.0.0.1']);

/** The certificate and key of every peer on loopback, for servers of other kinds. */
export const PEER_IDENTITY = { key: keyPem, cert: certificatePem } as const;
/** Whom a client has to trust to reach such a server. */
export const PEER_CA = authority.certificatePem;

export interface RawRequest {
  readonly streamId: number;
  readonly fields: ReadonlyMap<string, string>;
  /** The fields as they came, compressed. */
  readonly block: Buffer;
  readonly body: Buffer;
  /** The frames that it came in, by type. */
  readonly types: readonly number[];
}

/** A TLS server on loopback that says `h2` and leaves every byte after that to the test. */
export interface RawPeer extends AsyncDisposable {
  readonly origin: string;
  readonly connections: readonly RawConnection[];
  /** The next connection, once the client's preface has come. */
  accept(): Promise<RawConnection>;
  /** The same, with our first SETTINGS sent. */
  open(values?: Parameters<typeof settings>[0]): Promise<RawConnection>;
}

export async function startRawPeer(): Promise<RawPeer> {
  const connections: RawConnection[] = [];
  const sockets = new Set<Socket>();
  const events = new EventEmitter();
  const server = createServer({ ...PEER_IDENTITY, ALPNProtocols: ['h2'] }, (socket) => {
    connections.push(new RawConnection(socket));
    events.emit('connection');
  });
  server.on('tlsClientError', () => {});
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let accepted = 0;
  const accept = async (): Promise<RawConnection> => {
    const index = accepted;
    accepted += 1;
    while (connections.length <= index) await once(events, 'connection', patience());
    const connection = connections[index];
    assert(connection !== undefined);
    await connection.greeted();
    return connection;
  };
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections,
    accept,
    async open(values = {}) {
      const connection = await accept();
      connection.send(settings(values));
      return connection;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One connection, seen as the frames that the client has sent. */
export class RawConnection {
  readonly socket: TLSSocket;
  readonly #changes = new EventEmitter();
  readonly #decoder = new HpackDecoder({ maxTableBytes: 65_536, maxListBytes: 2 ** 24 });
  readonly #frames: RawFrame[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #isGreeted = false;
  #isClosed = false;

  constructor(socket: TLSSocket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.once('close', () => {
      this.#isClosed = true;
      this.#changes.emit('change');
    });
  }

  /** Frames that have come and were not asked for yet. */
  get pending(): readonly RawFrame[] {
    return this.#frames;
  }

  async greeted(): Promise<void> {
    while (!this.#isGreeted) await this.#change('the preface');
  }

  /** In one write, which becomes one chunk at the client as far as TLS records allow. */
  send(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Each byte as a TLS record, and thus a chunk, of its own. */
  sendByteByByte(...frames: readonly Buffer[]): void {
    for (const byte of Buffer.concat(frames)) this.socket.write(Buffer.from([byte]));
  }

  /** The next frame of a type that matches, past all others. Rejects when the connection ends. */
  async next(type: number, matches: (frame: RawFrame) => boolean = () => true): Promise<RawFrame> {
    for (;;) {
      const index = this.#frames.findIndex((frame) => frame.type === type && matches(frame));
      const [found] = index === -1 ? [] : this.#frames.splice(index, 1);
      if (found !== undefined) return found;
      assert(!this.#isClosed, `the connection ended before a frame of type ${type}`);
      await this.#change(`a frame of type ${type}`);
    }
  }

  /** The next request's head, as soon as it is here. */
  async head(): Promise<RawRequest> {
    const first = await this.next(TYPE.headers);
    const { streamId } = first;
    const frames = [first];
    for (let last = first; (last.flags & END_HEADERS) === 0; frames.push(last)) {
      last = await this.next(TYPE.continuation);
      assert.equal(last.streamId, streamId);
    }
    const block = Buffer.concat(frames.map(({ payload }) => payload));
    const list = this.#decoder.decode(block, 0, block.length);
    assert(!list.tooLarge);
    const fields = new Map(list.fields.map(({ name, value }) => [name, value]));
    return {
      streamId,
      fields,
      block,
      body: Buffer.alloc(0),
      types: frames.map(({ type }) => type),
    };
  }

  /** The next request with its whole body. */
  async request(): Promise<RawRequest> {
    const head = await this.head();
    if (head.fields.get('content-length') === '0') return head;
    return this.rest(head);
  }

  /** The body of a request whose head is here. */
  async rest(head: RawRequest): Promise<RawRequest> {
    const pieces: RawFrame[] = [];
    do {
      pieces.push(await this.next(TYPE.data, ({ streamId }) => streamId === head.streamId));
    } while (((pieces.at(-1)?.flags ?? 0) & END_STREAM) === 0);
    const body = Buffer.concat(pieces.map(({ payload }) => payload));
    return { ...head, body, types: [...head.types, ...pieces.map(({ type }) => type)] };
  }

  async requests(count: number): Promise<readonly RawRequest[]> {
    const found: RawRequest[] = [];
    while (found.length < count) found.push(await this.request());
    return found;
  }

  /** Resolves when everything is here that the client says to what it was sent until now. */
  async settle(): Promise<void> {
    this.send(ping('settled?'));
    await this.next(TYPE.ping, ({ payload }) => payload.toString() === 'settled?');
  }

  /** How many frames of a type are here and were not asked for. */
  count(type: number): number {
    return this.#frames.filter((frame) => frame.type === type).length;
  }

  /** The code of the client's GOAWAY, past everything else that it says. */
  async goawayCode(): Promise<number> {
    return (await this.next(TYPE.goaway)).payload.readUInt32BE(4);
  }

  /** The code with which the client resets a stream. */
  async resetCode(streamId: number): Promise<number> {
    const reset = await this.next(TYPE.rstStream, (frame) => frame.streamId === streamId);
    return reset.payload.readUInt32BE(0);
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await this.#change('the end of the connection');
  }

  /** Whatever comes next from the client, or the end. */
  async arrival(): Promise<null> {
    await this.#change('anything');
    return null;
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #change(what: string): Promise<void> {
    try {
      await once(this.#changes, 'change', patience());
    } catch (error) {
      throw new Error(`${what} did not come`, { cause: error });
    }
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (!this.#isGreeted) {
      if (this.#unread.length < PREFACE.length) return;
      assert.equal(this.#unread.toString('latin1', 0, PREFACE.length), PREFACE);
      this.#unread = this.#unread.subarray(PREFACE.length);
      this.#isGreeted = true;
    }
    for (let bytes = this.#unread; bytes.length >= 9; bytes = this.#unread) {
      const end = 9 + bytes.readUIntBE(0, 3);
      if (bytes.length < end) break;
      this.#unread = bytes.subarray(end);
      this.#frames.push({
        type: bytes.readUInt8(3),
        flags: bytes.readUInt8(4),
        streamId: bytes.readUInt32BE(5),
        payload: Buffer.from(bytes.subarray(9, end)),
      });
    }
    this.#changes.emit('change');
  }
}

function patience(): { readonly signal: AbortSignal } {
  return { signal: AbortSignal.timeout(PATIENCE_MS) };
}
