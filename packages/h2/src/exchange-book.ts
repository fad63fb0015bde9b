import { ERROR_CODE } from './error-code.ts';
import type { Http2Answer, Http2NoAnswer, Http2NotStarted, NotStartedCause } from './exchange.ts';
import type { HeaderField } from './hpack/header-field.ts';
import { StreamTable } from './stream-table.ts';

/**
 * `refused`: the peer vouches that it did not process the request, so a resend cannot duplicate it.
 */
export type ConnectionResult =
  | Http2Answer
  | Http2NoAnswer
  | Http2NotStarted
  | { readonly kind: 'refused' };

/** A request that is on a stream, and as much of its answer as has come. */
export interface Exchange {
  readonly authorization: string;
  /** On the scale of `performance.now()`. */
  readonly deadline: number;
  readonly done: (result: ConnectionResult) => void;
  /** 0 until the final status has come. */
  status: number;
  fields: readonly HeaderField[];
  /** Empty until all of it has come. */
  body: string;
  bodyBytes: number;
  /** Whether the peer has ended the answer, and we have kept all of it. */
  isWhole: boolean;
  /** So many bytes of a body that comes in more than one piece, and room for more. */
  pieces: Buffer | null;
}

/** Why the rest of a stream is not wanted: what RST_STREAM is to say; null if nothing is. */
export type StreamFault = number | null;

/**
 * The open streams of a connection. It knows what a request becomes when its stream ends in one way
 * or the other; which frames say so is the connection's business.
 */
export class ExchangeBook {
  readonly #connection: number;
  readonly #maxBodyBytes: number;
  readonly #open = new StreamTable<Exchange>();

  constructor(connection: number, maxBodyBytes: number) {
    this.#connection = connection;
    this.#maxBodyBytes = maxBodyBytes;
  }

  get size(): number {
    return this.#open.size;
  }

  has(streamId: number): boolean {
    return this.#open.get(streamId) !== null;
  }

  add(streamId: number, request: Pick<Exchange, 'authorization' | 'deadline' | 'done'>): void {
    const { authorization, deadline, done } = request;
    const answer = { status: 0, fields: [], body: '', bodyBytes: 0, isWhole: false, pieces: null };
    this.#open.add(streamId, { authorization, deadline, done, ...answer });
  }

  /** A decoded header block: the answer's head, an interim one, or trailers. */
  heed(streamId: number, fields: readonly HeaderField[], endsStream: boolean): StreamFault {
    const exchange = this.#open.get(streamId);
    if (exchange === null) return null;
    if (exchange.status === 0) {
      const status = statusOf(fields);
      if (status === null || (status < 200 && endsStream)) {
        this.#finish(streamId, exchange);
        return ERROR_CODE.protocolError;
      }
      if (status < 200) return null;
      exchange.status = status;
      exchange.fields = fields;
    } else if (!endsStream) {
      // A second head that is no trailer is malformed (RFC 9113 section 8.1).
      this.#finish(streamId, exchange);
      return ERROR_CODE.protocolError;
    }
    if (endsStream) this.#complete(streamId, exchange);
    return null;
  }

  /** A piece of a body. */
  take(
    streamId: number,
    buffer: Buffer,
    start: number,
    end: number,
    endsStream: boolean,
  ): StreamFault {
    const exchange = this.#open.get(streamId);
    if (exchange === null) return null;
    if (exchange.status === 0) {
      this.#finish(streamId, exchange);
      return ERROR_CODE.protocolError;
    }
    const { pieces, bodyBytes } = exchange;
    exchange.bodyBytes += end - start;
    if (exchange.bodyBytes > this.#maxBodyBytes) {
      this.#finish(streamId, exchange);
      return endsStream ? null : ERROR_CODE.cancel;
    }
    if (endsStream && pieces === null) {
      exchange.body = buffer.toString('utf8', start, end);
    } else if (end > start) {
      exchange.pieces = withRoom(pieces, bodyBytes, exchange.bodyBytes);
      buffer.copy(exchange.pieces, bodyBytes, start, end);
    }
    if (endsStream) this.#complete(streamId, exchange);
    return null;
  }

  /** A stream was reset. What had a status is answered: the peer's decision is known by then. */
  reset(streamId: number, code: number): void {
    const exchange = this.#open.get(streamId);
    if (exchange === null) return;
    if (code === ERROR_CODE.refusedStream && exchange.status === 0)
      this.#refuse(streamId, exchange);
    else this.#finish(streamId, exchange);
  }

  /** The peer, or the way to it, did nothing with streams above this one; returns which. */
  refuseAbove(lastStreamId: number): readonly number[] {
    const refused: number[] = [];
    for (const [streamId, exchange] of this.#open.entries()) {
      if (streamId <= lastStreamId || exchange.status !== 0) continue;
      refused.push(streamId);
      this.#refuse(streamId, exchange);
    }
    return refused;
  }

  /**
   * Gives back a request whose body was never sent to its end. A server cannot have acted on JSON
   * of which END_STREAM never came; one that has answered did not need the rest.
   */
  giveBack(streamId: number, cause: NotStartedCause): void {
    const exchange = this.#open.get(streamId);
    if (exchange === null) return;
    const detail = 'the peer did not take all of the body';
    if (exchange.status === 0)
      this.#end(streamId, exchange, { kind: 'not_started', cause, detail });
    else this.#finish(streamId, exchange);
  }

  /** Ends what has waited too long; returns the streams, which are to be cancelled. */
  expire(now: number): readonly number[] {
    const late: number[] = [];
    for (const [streamId, exchange] of this.#open.entries()) {
      if (exchange.deadline > now) continue;
      late.push(streamId);
      if (exchange.status === 0)
        this.#end(streamId, exchange, { kind: 'no_answer', code: 'TIMEOUT' });
      else this.#finish(streamId, exchange);
    }
    return late;
  }

  /** The connection is gone: nothing more will come for any stream. */
  finishAll(): void {
    for (const [streamId, exchange] of this.#open.entries()) this.#finish(streamId, exchange);
  }

  #refuse(streamId: number, exchange: Exchange): void {
    this.#end(streamId, exchange, { kind: 'refused' });
  }

  /** The peer has said all that it had to say. */
  #complete(streamId: number, exchange: Exchange): void {
    const { pieces, bodyBytes } = exchange;
    if (pieces !== null) exchange.body = pieces.toString('utf8', 0, bodyBytes);
    exchange.isWhole = true;
    this.#finish(streamId, exchange);
  }

  #finish(streamId: number, exchange: Exchange): void {
    const { status, fields, body, isWhole, authorization } = exchange;
    const connection = this.#connection;
    this.#end(
      streamId,
      exchange,
      status === 0
        ? { kind: 'no_answer', code: 'NETWORK_AFTER_SEND' }
        : { kind: 'answer', status, fields, body, isWhole, connection, authorization },
    );
  }

  #end(streamId: number, exchange: Exchange, result: ConnectionResult): void {
    this.#open.delete(streamId);
    exchange.done(result);
  }
}

/** Grows by doubling: a body in thousands of pieces costs no more memory than one in two. */
function withRoom(pieces: Buffer | null, used: number, wanted: number): Buffer {
  if (pieces !== null && pieces.length >= wanted) return pieces;
  const larger = Buffer.allocUnsafe(Math.max(wanted, 2 * used));
  pieces?.copy(larger, 0, 0, used);
  return larger;
}

/** Null for a head that is none (RFC 9113 section 8.3.2): `:status` comes first and alone. */
function statusOf(fields: readonly HeaderField[]): number | null {
  const [first] = fields;
  if (first?.name !== ':status' || !/^[1-9]\d\d$/.test(first.value)) return null;
  return Number(first.value);
}
