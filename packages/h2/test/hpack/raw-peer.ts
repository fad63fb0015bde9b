import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { HpackDecoder } from '../../src/hpack/decoder.ts';
import type { HpackEncoder } from '../../src/hpack/encoder.ts';
import type { HeaderField } from '../../src/hpack/header-field.ts';

const HEADERS = 0x1;
const SETTINGS = 0x4;
const PING = 0x6;
const CONTINUATION = 0x9;
const FATAL: Readonly<Record<number, string>> = { 0x3: 'RST_STREAM', 0x7: 'GOAWAY' };

const ACK = 0x1;
const END_STREAM = 0x1;
const END_HEADERS = 0x4;
const PADDED = 0x8;
const PRIORITY = 0x20;

const HEADER_TABLE_SIZE = 0x1;
const FRAME_HEADER_BYTES = 9;
const DEADLINE_MS = 30_000;
const MAX_PAYLOAD_BYTES = 16_384;

const CLIENT_PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

interface Headers {
  readonly streamId: number;
  readonly fields: readonly HeaderField[];
}

interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** The largest table that a test announces; the other side's size updates say which one holds. */
const MAX_TABLE_BYTES = 65_536;

/**
 * One end of an HTTP/2 connection in clear text that has our HPACK and knows of everything else as
 * little as it needs to put header blocks before `node:http2`.
 */
export class RawPeer {
  readonly encoder: HpackEncoder;
  readonly decoder = new HpackDecoder({ maxTableBytes: MAX_TABLE_BYTES, maxListBytes: 2 ** 20 });
  readonly #socket: Socket;
  readonly #arrivals = new EventEmitter<{ headers: [Headers] }>();
  readonly #failure = Promise.withResolvers<never>();
  #unread: Buffer = Buffer.alloc(0);
  #prefaceBytes: number;
  #block: Buffer[] = [];

  constructor(socket: Socket, role: 'client' | 'server', encoder: HpackEncoder) {
    this.#socket = socket;
    this.#prefaceBytes = role === 'server' ? CLIENT_PREFACE.length : 0;
    this.encoder = encoder;
    if (role === 'client') socket.write(CLIENT_PREFACE);
    this.#send(SETTINGS, 0, 0, Buffer.alloc(0));
    socket.on('data', (chunk) => this.#receive(chunk));
    socket.on('error', this.#failure.reject);
    AbortSignal.timeout(DEADLINE_MS).addEventListener('abort', this.#failure.reject);
    // Whoever waits gets it; while nobody does, it waits as well.
    this.#failure.promise.catch(() => {});
  }

  /** The next list of header fields that arrives. */
  async nextHeaders(): Promise<Headers> {
    const [headers] = await this.whileSound(once(this.#arrivals, 'headers'));
    return headers as Headers;
  }

  /** What the promise gives, unless this end of the connection fails first, or takes too long. */
  whileSound<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#failure.promise]);
  }

  sendHeaders(streamId: number, block: Buffer): void {
    for (let at = 0; at === 0 || at < block.length; at += MAX_PAYLOAD_BYTES) {
      const isLast = at + MAX_PAYLOAD_BYTES >= block.length;
      const flags = (at === 0 ? END_STREAM : 0) | (isLast ? END_HEADERS : 0);
      const payload = block.subarray(at, at + MAX_PAYLOAD_BYTES);
      this.#send(at === 0 ? HEADERS : CONTINUATION, flags, streamId, payload);
    }
  }

  /** Allows the other side's encoder a table of this size. */
  announceTableSize(bytes: number): void {
    assert(bytes <= MAX_TABLE_BYTES);
    const payload = Buffer.alloc(6);
    payload.writeUInt16BE(HEADER_TABLE_SIZE, 0);
    payload.writeUInt32BE(bytes, 2);
    this.#send(SETTINGS, 0, 0, payload);
  }

  #send(type: number, flags: number, streamId: number, payload: Buffer): void {
    const header = Buffer.alloc(FRAME_HEADER_BYTES);
    header.writeUIntBE(payload.length, 0, 3);
    header.writeUInt8(type, 3);
    header.writeUInt8(flags, 4);
    header.writeUInt32BE(streamId, 5);
    this.#socket.write(Buffer.concat([header, payload]));
  }

  #receive(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (this.#unread.length < this.#prefaceBytes) return;
    this.#unread = this.#unread.subarray(this.#prefaceBytes);
    this.#prefaceBytes = 0;
    for (let frame = this.#takeFrame(); frame !== null; frame = this.#takeFrame()) {
      try {
        this.#handle(frame);
      } catch (error) {
        this.#failure.reject(error);
      }
    }
  }

  #takeFrame(): Frame | null {
    const bytes = this.#unread;
    if (bytes.length < FRAME_HEADER_BYTES) return null;
    const end = FRAME_HEADER_BYTES + bytes.readUIntBE(0, 3);
    if (bytes.length < end) return null;
    this.#unread = bytes.subarray(end);
    return {
      type: bytes.readUInt8(3),
      flags: bytes.readUInt8(4),
      streamId: bytes.readUInt32BE(5),
      payload: bytes.subarray(FRAME_HEADER_BYTES, end),
    };
  }

  #handle(frame: Frame): void {
    const { type, flags, streamId, payload } = frame;
    const fatal = FATAL[type];
    if (fatal !== undefined) throw new Error(`${fatal} ${payload.toString('hex')}`);
    if (type === SETTINGS) this.#handleSettings(frame);
    if (type === PING && (flags & ACK) === 0) this.#send(PING, ACK, 0, payload);
    if (type !== HEADERS && type !== CONTINUATION) return;
    this.#block.push(type === HEADERS ? blockWithin(frame) : payload);
    if ((flags & END_HEADERS) === 0) return;
    const block = Buffer.concat(this.#block.splice(0));
    const list = this.decoder.decode(block, 0, block.length);
    assert(!list.tooLarge);
    this.#arrivals.emit('headers', { streamId, fields: list.fields });
  }

  #handleSettings({ flags, payload }: Frame): void {
    if ((flags & ACK) !== 0) return;
    for (let at = 0; at < payload.length; at += 6) {
      if (payload.readUInt16BE(at) !== HEADER_TABLE_SIZE) continue;
      this.encoder.setTableLimit(payload.readUInt32BE(at + 2));
    }
    this.#send(SETTINGS, ACK, 0, Buffer.alloc(0));
  }
}

/** What HEADERS carries beside padding and priority. */
function blockWithin({ flags, payload }: Frame): Buffer {
  const padding = (flags & PADDED) === 0 ? 0 : payload.readUInt8(0);
  const start = ((flags & PADDED) === 0 ? 0 : 1) + ((flags & PRIORITY) === 0 ? 0 : 5);
  return payload.subarray(start, payload.length - padding);
}
