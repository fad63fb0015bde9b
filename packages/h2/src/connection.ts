import assert from 'node:assert/strict';
import { ConnectionHealth } from './connection-health.ts';
import type { ConnectionOptions } from './connection-options.ts';
import type { ConnectionState } from './connection-state.ts';
import { ERROR_CODE, errorCodeName, type ErrorCode } from './error-code.ts';
import type { Http2Request, Http2RequestOptions } from './exchange.ts';
import { ExchangeBook, type ConnectionResult, type StreamFault } from './exchange-book.ts';
import { FrameBudget } from './frame-budget.ts';
import { readGoaway, readPing, readReset, readWindowUpdate } from './frame-payload.ts';
import { FrameReader, type Frame } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { FLAG, FRAME, MAX_31_BITS } from './frame.ts';
import { HEADER_TABLE_BYTES, MAX_HEADER_LIST_BYTES, writeGreeting } from './greeting.ts';
import { HeaderAssembly, unpadded, type HeaderBlock } from './header-assembly.ts';
import { HpackDecoder } from './hpack/decoder.ts';
import { InboundFlow } from './inbound-flow.ts';
import { OutboundFlow } from './outbound-flow.ts';
import { INITIAL_PEER_SETTINGS, readSettings } from './peer-settings.ts';
import { faultOf, ProtocolFault } from './protocol-fault.ts';
import { RequestEncoder } from './request-encoder.ts';
import { requestProblem, writeRequestHead } from './request-head.ts';
import type { OpenSocket, TlsSocket } from './tls-socket.ts';

let connectionsMade = 0;

/** One HTTP/2 connection over TLS. Its owner hears of every change that may make or take room. */
export class Connection {
  readonly id: number;
  readonly #options: ConnectionOptions;
  readonly #onChange: () => void;
  readonly #socket: TlsSocket;
  readonly #reader = new FrameReader((frame) => this.#onFrame(frame));
  readonly #writer: FrameWriter;
  readonly #outbound: OutboundFlow;
  readonly #inbound: InboundFlow;
  readonly #encoder: RequestEncoder;
  readonly #decoder: HpackDecoder;
  readonly #assembly = new HeaderAssembly();
  readonly #budget: FrameBudget;
  readonly #health: ConnectionHealth;
  readonly #exchanges: ExchangeBook;
  readonly #closed = Promise.withResolvers<void>();
  readonly #carried = new Set<string>();
  #peer = INITIAL_PEER_SETTINGS;
  #state: ConnectionState = 'connecting';
  #failure = 'closed by the peer';
  #everOpen = false;
  #hasAnswered = false;
  #isEnding = false;
  #nextStreamId = 1;
  /** Requests above this stream have not left our own buffer yet. */
  #flushedThrough = 0;

  constructor(options: ConnectionOptions, openSocket: OpenSocket, onChange: () => void) {
    connectionsMade += 1;
    this.id = connectionsMade;
    this.#options = options;
    this.#onChange = onChange;
    this.#exchanges = new ExchangeBook(this.id, options.maxBodyBytes);
    this.#budget = new FrameBudget(options.maxStreams);
    this.#encoder = new RequestEncoder(new URL(options.origin).host, HEADER_TABLE_BYTES);
    this.#decoder = new HpackDecoder({
      maxTableBytes: HEADER_TABLE_BYTES,
      maxListBytes: MAX_HEADER_LIST_BYTES,
    });
    this.#socket = openSocket(options, {
      onOpen: () => this.#greet(),
      onBytes: (chunk, length) => this.#onBytes(chunk, length),
      onDrain: () => this.#onChange(),
      onClose: (failure) => this.#onClose(failure),
    });
    this.#writer = new FrameWriter(
      (bytes, done) => {
        if (this.#socket.write(bytes, done)) this.#flushedThrough = this.#nextStreamId - 2;
      },
      // The peer's table follows our blocks: without one of them, none of the later ones is right.
      () => this.#destroy('FLUSHED_TOO_LATE'),
    );
    this.#outbound = new OutboundFlow(this.#writer);
    this.#inbound = new InboundFlow(this.#writer);
    this.#health = new ConnectionHealth(options, {
      openStreams: () => this.#exchanges.size,
      ping: (opaque) => this.#writer.ping(opaque, false),
      expire: (now) => this.#expire(now),
      revive: () => this.#onChange(),
      drain: () => this.drain(),
      destroy: (failure) => this.#destroy(failure),
    });
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether the peer's SETTINGS ever came. */
  get everOpen(): boolean {
    return this.#everOpen;
  }

  /** Whether it has been of no use: it never opened, or it was asked and answered nothing. */
  get isFruitless(): boolean {
    return !this.#hasAnswered && (!this.#everOpen || this.#nextStreamId > 1);
  }

  get ageMs(): number {
    return this.#health.ageMs;
  }

  /** The system's, Node's or RFC 9113's code for what ended the connection. */
  get failure(): string {
    return this.#failure;
  }

  /** Whether a request of this connection carried this credential. */
  carried(authorization: string): boolean {
    return this.#carried.has(authorization);
  }

  /** How many requests could be put on a stream now, by the peer's limit and by our own. */
  get room(): number {
    if (this.#state !== 'open' || this.#socket.isFull) return 0;
    // Behind a closed window or on a dead route a request would be worse off than in the line.
    if (!this.#outbound.isOpen || this.#health.isDoubtful) return 0;
    return Math.min(this.#peer.maxStreams, this.#options.maxStreams) - this.#exchanges.size;
  }

  /** It has no room for a moment, because its socket has yet to take what it was given. */
  get isFlushing(): boolean {
    return this.#socket.isFull && !this.#health.isDoubtful;
  }

  /** Puts the request on a stream and calls back with what became of it. There must be room. */
  post(
    request: Http2Request,
    options: Http2RequestOptions,
    done: (result: ConnectionResult) => void,
  ): void {
    assert(this.#state === 'open', 'a request needs an open connection');
    const authorization = this.#options.authorization();
    const problem = requestProblem(request, authorization, this.#peer.maxHeaderListBytes);
    if (problem !== null) {
      done({ kind: 'not_started', cause: 'invalid_request', detail: problem });
      return;
    }
    const streamId = this.#nextStreamId;
    this.#carried.add(authorization);
    const { startBefore, answerTimeoutMs = this.#options.answerTimeoutMs } = options;
    const deadline = this.#health.use() + answerTimeoutMs;
    this.#exchanges.add(streamId, { authorization, deadline, done });
    this.#budget.earn(request.body.length);
    const { maxFrameBytes } = this.#peer;
    const head = { streamId, request, authorization, maxFrameBytes };
    writeRequestHead(this.#writer, this.#encoder, head);
    // Only now: making room for the head may have flushed what stood before it.
    this.#nextStreamId += 2;
    this.#writer.flushBefore(startBefore);
    this.#outbound.send(streamId, request, options, this.#peer);
    // Stream ids are used up after a thousand million requests (RFC 9113 section 5.1.1).
    if (this.#nextStreamId > MAX_31_BITS) this.drain();
  }

  /** Takes no more requests and closes when the last answer is in. */
  drain(): void {
    if (this.#state === 'connecting') return this.#destroy('drained');
    if (this.#state !== 'open') return;
    this.#state = 'draining';
    this.#closeIfDone();
    this.#onChange();
  }

  /** Drains and is closed, at the latest soon after the deadline of the last answer. */
  async close(): Promise<void> {
    this.drain();
    await this.#closed.promise;
  }

  #greet(): void {
    writeGreeting(this.#writer, this.#options.maxBodyBytes);
    this.#inbound.open();
    this.#writer.flush();
  }

  #onBytes(chunk: Buffer, length: number): void {
    this.#health.heard();
    try {
      this.#reader.read(chunk, length);
    } catch (error) {
      const fault = faultOf(error);
      if (fault === null) throw error;
      this.#giveUp(errorCodeName(fault.code));
      this.#leave(fault.code);
    }
  }

  #onFrame(frame: Frame): void {
    const { type, streamId } = frame;
    const { openStream } = this.#assembly;
    if (openStream !== null && type !== FRAME.continuation) {
      throw new ProtocolFault(ERROR_CODE.protocolError, 'a frame inside a header block');
    }
    if (!this.#everOpen && type !== FRAME.settings) {
      throw new ProtocolFault(ERROR_CODE.protocolError, 'a frame before SETTINGS');
    }
    switch (type) {
      case FRAME.data:
        return this.#onData(frame);
      case FRAME.headers:
        this.#assertKnown(streamId);
        return this.#onBlock(this.#assembly.begin(frame));
      case FRAME.continuation:
        return this.#onBlock(this.#assembly.continue(frame));
      case FRAME.rstStream:
        return this.#onReset(frame);
      case FRAME.settings:
        return this.#onSettings(frame);
      case FRAME.ping:
        return this.#onPing(frame);
      case FRAME.goaway:
        return this.#onGoaway(frame);
      case FRAME.windowUpdate:
        return this.#onWindowUpdate(frame);
      case FRAME.pushPromise:
        throw new ProtocolFault(ERROR_CODE.protocolError, 'a push, which we do not take');
      default:
        // PRIORITY is obsolete, and frames of unknown types are to be ignored.
        this.#budget.spend();
    }
  }

  #onData(frame: Frame): void {
    const { streamId, flags, buffer } = frame;
    this.#assertKnown(streamId);
    this.#inbound.receive(frame.end - frame.start);
    const { start, end } = unpadded(frame);
    const endsStream = (flags & FLAG.endStream) !== 0;
    const isEmpty = start === end;
    if ((isEmpty && !endsStream) || !this.#exchanges.has(streamId)) this.#budget.spend();
    this.#afterEnd(streamId, this.#exchanges.take(streamId, buffer, start, end, endsStream));
  }

  #onBlock(block: HeaderBlock | null): void {
    if (block === null) return;
    const { streamId, endsStream, buffer, start, end } = block;
    // Also of streams that nobody waits for any more: the table has to follow the peer's.
    const list = this.#decoder.decode(buffer, start, end);
    const isAwaited = this.#exchanges.has(streamId);
    if (isAwaited) this.#health.answered();
    this.#hasAnswered ||= isAwaited;
    if (!isAwaited || !endsStream) this.#budget.spend();
    const fault = this.#exchanges.heed(streamId, list.tooLarge ? [] : list.fields, endsStream);
    this.#afterEnd(streamId, fault);
  }

  #onReset(frame: Frame): void {
    const { streamId } = frame;
    const code = readReset(frame);
    this.#assertKnown(streamId);
    this.#budget.spend();
    this.#outbound.forget(streamId);
    this.#exchanges.reset(streamId, code);
    this.#settleRoom();
  }

  #onSettings(frame: Frame): void {
    this.#budget.spend();
    const before = this.#peer;
    const settings = readSettings(before, frame);
    if (settings === null) return;
    this.#giveBackHeld();
    this.#peer = settings;
    // The next block has to tell both (RFC 7541 section 4.2).
    this.#encoder.setTableLimit(this.#peer.lowestTableBytes);
    this.#encoder.setTableLimit(this.#peer.headerTableBytes);
    const difference = this.#peer.initialWindowBytes - before.initialWindowBytes;
    this.#writer.settingsAck();
    if (difference !== 0) this.#outbound.adjust(difference, this.#peer.maxFrameBytes);
    if (this.#state === 'connecting') {
      this.#health.opened();
      this.#state = 'open';
      this.#everOpen = true;
    }
    this.#onChange();
  }

  #onPing(frame: Frame): void {
    const opaque = readPing(frame);
    this.#budget.spend();
    if ((frame.flags & FLAG.ack) !== 0) this.#health.pong(opaque);
    else this.#writer.ping(opaque, true);
  }

  #onGoaway(frame: Frame): void {
    const { lastStreamId, code } = readGoaway(frame);
    this.#budget.spend();
    if (code !== ERROR_CODE.noError) this.#failure = errorCodeName(code);
    if (this.#state === 'connecting' || this.#state === 'open') this.drain();
    this.#refuseAbove(lastStreamId);
    this.#settleRoom();
  }

  #onWindowUpdate(frame: Frame): void {
    const { streamId } = frame;
    const bytes = readWindowUpdate(frame);
    if (streamId !== 0) this.#assertKnown(streamId);
    this.#giveBackHeld();
    const wasOpen = this.#outbound.isOpen;
    const isOfUse = this.#outbound.widen(streamId, bytes, this.#peer.maxFrameBytes);
    if (!isOfUse) this.#budget.spend();
    if (!wasOpen && this.#outbound.isOpen) this.#onChange();
  }

  /** Only streams that we have opened can have frames (RFC 9113 section 5.1.1). */
  #assertKnown(streamId: number): void {
    if (streamId % 2 === 0 || streamId >= this.#nextStreamId) {
      throw new ProtocolFault(ERROR_CODE.protocolError, `a frame of stream ${streamId}`);
    }
  }

  /** A stream may have ended: cuts off what either side still has to say on it. */
  #afterEnd(streamId: number, fault: StreamFault): void {
    const isUnsent = !this.#exchanges.has(streamId) && this.#outbound.forget(streamId);
    if (fault !== null) this.#writer.rstStream(streamId, fault);
    else if (isUnsent) this.#writer.rstStream(streamId, ERROR_CODE.noError);
    this.#settleRoom();
  }

  #refuseAbove(lastStreamId: number): void {
    for (const streamId of this.#exchanges.refuseAbove(lastStreamId)) {
      this.#outbound.forget(streamId);
    }
  }

  #settleRoom(): void {
    this.#closeIfDone();
    this.#onChange();
  }

  #expire(now: number): number {
    // Timers come first after a freeze: what did not leave in time must not be called unanswered.
    this.#writer.flush();
    this.#giveBackHeld();
    const late = this.#exchanges.expire(now);
    for (const streamId of late) {
      this.#outbound.forget(streamId);
      this.#writer.rstStream(streamId, ERROR_CODE.cancel);
    }
    if (late.length > 0) this.#settleRoom();
    return late.length;
  }

  /** Takes back what the peer's windows have held for too long, before they let it go. */
  #giveBackHeld(): void {
    const lapsed = this.#outbound.takeLapsed(performance.now());
    for (const [streamId, cause] of lapsed) {
      this.#exchanges.giveBack(streamId, cause);
      this.#writer.rstStream(streamId, ERROR_CODE.cancel);
    }
    if (lapsed.length > 0) this.#settleRoom();
  }

  #closeIfDone(): void {
    if (this.#state !== 'draining' || this.#exchanges.size > 0 || this.#isEnding) return;
    this.#leave(ERROR_CODE.noError);
  }

  #leave(code: ErrorCode): void {
    this.#isEnding = true;
    this.#writer.goaway(code);
    this.#writer.flush();
    this.#health.ending();
    this.#socket.end();
  }

  #destroy(failure: string): void {
    this.#giveUp(failure);
    this.#socket.destroy();
  }

  /** Listens to nothing any more. What never left our buffer was certainly not processed. */
  #giveUp(failure: string): void {
    this.#failure = failure;
    this.#reader.stop();
    this.#writer.discard();
    if (this.#state === 'open') this.#state = 'draining';
    this.#refuseAbove(this.#flushedThrough);
  }

  #onClose(failure: string | null): void {
    this.#health.stop();
    this.#state = 'closed';
    this.#giveUp(failure ?? this.#failure);
    this.#exchanges.finishAll();
    this.#closed.resolve();
    this.#onChange();
  }
}
