import type { HeaderField } from './hpack/header-field.ts';
import type { RequestShape } from './request-shape.ts';

/** A POST towards one origin. */
export interface Http2Request {
  /** What it has in common with many others; make it once and keep it. */
  readonly shape: RequestShape;
  readonly path: string;
  /** The values of the shape's varying fields, in their order. */
  readonly values: readonly string[];
  readonly body: Buffer;
}

export interface Http2RequestOptions {
  /**
   * On the scale of `performance.now()`: a request that was not handed to the network by then is
   * not started, nor is one that comes to a stream less than 100 ms before. A body that the
   * peer's windows hold longer than that is not sent to its end.
   */
  readonly startBefore: number;
  /**
   * Aborting takes back a request of which the peer has not let all onto a stream yet; every other
   * one is awaited.
   */
  readonly signal: AbortSignal;
  /** How long this request may wait for its answer; as the pool's options say unless given. */
  readonly answerTimeoutMs?: number;
}

export interface Http2Answer {
  readonly kind: 'answer';
  readonly status: number;
  /** In the order in which they came, `:status` included; `fieldValue` looks for one. */
  readonly fields: readonly HeaderField[];
  /** Empty when it is larger than the pool's options allow, or when the peer cut it off. */
  readonly body: string;
  /** Whether all of the answer has come, so that an empty body is the peer's own. */
  readonly isWhole: boolean;
  /** Names the connection that answered, for `Http2Pool.retire`. */
  readonly connection: number;
  /** The credential that this answer is about; the pool's may be another one by now. */
  readonly authorization: string;
}

/**
 * Why nothing was handed over.
 *
 * - `expired`, `aborted`, `closed`: time ran out, the caller changed its mind, the pool is closing.
 * - `refused`: the peer said of every try that it had not processed it (REFUSED_STREAM or GOAWAY).
 * - `connect_failed`: there is no connection and none can be made; `detail` says what failed.
 * - `invalid_request`: the request cannot be expressed in HTTP/2, which is a fault of the builder.
 */
export type NotStartedCause =
  | 'expired'
  | 'aborted'
  | 'closed'
  | 'refused'
  | 'connect_failed'
  | 'invalid_request';

export interface Http2NotStarted {
  readonly kind: 'not_started';
  readonly cause: NotStartedCause;
  readonly detail: string;
}

/** The request was written and no answer came: the peer may or may not have acted on it. */
export interface Http2NoAnswer {
  readonly kind: 'no_answer';
  readonly code: 'TIMEOUT' | 'NETWORK_AFTER_SEND';
}

/** What became of a request. A dead network is a value here, never an exception. */
export type Http2Result = Http2Answer | Http2NotStarted | Http2NoAnswer;

/** The value of the first field of a name, which is in lower case; undefined if there is none. */
export function fieldValue(fields: readonly HeaderField[], name: string): string | undefined {
  return fields.find((field) => field.name === name)?.value;
}
