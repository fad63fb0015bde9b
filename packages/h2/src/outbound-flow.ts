import { ERROR_CODE } from './error-code.ts';
import type { Http2Request, Http2RequestOptions, NotStartedCause } from './exchange.ts';
import type { FrameWriter } from './frame-writer.ts';
import { DEFAULT_WINDOW_BYTES, MAX_31_BITS } from './frame.ts';
import type { PeerSettings } from './peer-settings.ts';
import { ProtocolFault } from './protocol-fault.ts';

/** A body of which the peer's windows have let through a part. */
interface HeldBody {
  readonly body: Buffer;
  readonly options: Http2RequestOptions;
  sent: number;
  window: number;
}

/**
 * Sends bodies as the peer's flow control allows (RFC 9113 section 5.2). Nearly all fit into the
 * windows at once and are never stored here; what does not fit waits for WINDOW_UPDATE.
 */
export class OutboundFlow {
  readonly #writer: FrameWriter;
  /** In the order in which the streams were opened, which is the order of service. */
  readonly #held = new Map<number, HeldBody>();
  #window = DEFAULT_WINDOW_BYTES;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** Whether a further body could go out now, of which at least a part. */
  get isOpen(): boolean {
    return this.#window > 0 && this.#held.size === 0;
  }

  /** Sends a body, unless it is empty, and ends its stream, now or as the windows open. */
  send(
    streamId: number,
    { body }: Http2Request,
    options: Http2RequestOptions,
    { initialWindowBytes: window, maxFrameBytes }: PeerSettings,
  ): void {
    if (body.length === 0) return;
    if (body.length <= Math.min(this.#window, window, maxFrameBytes)) {
      this.#window -= body.length;
      this.#writer.data(streamId, body, 0, body.length, true);
      return;
    }
    const held = { body, options, sent: 0, window };
    this.#held.set(streamId, held);
    this.#advance(streamId, held, maxFrameBytes);
  }

  /** The rest of a body is not wanted any more; false when there is no rest. */
  forget(streamId: number): boolean {
    return this.#held.delete(streamId);
  }

  /**
   * Forgets the bodies of which the windows have held a part for longer than the request may wait,
   * or until its signal aborted; returns their streams, and why.
   */
  takeLapsed(now: number): readonly (readonly [streamId: number, cause: NotStartedCause])[] {
    const lapsed: [number, NotStartedCause][] = [];
    for (const [streamId, { options }] of this.#held) {
      if (!options.signal.aborted && options.startBefore > now) continue;
      lapsed.push([streamId, options.signal.aborted ? 'aborted' : 'expired']);
      this.#held.delete(streamId);
    }
    return lapsed;
  }

  /**
   * A WINDOW_UPDATE of the peer; stream 0 stands for the connection. Returns whether it let go any
   * part of a body.
   */
  widen(streamId: number, bytes: number, maxFrameBytes: number): boolean {
    if (bytes === 0) throw new ProtocolFault(ERROR_CODE.protocolError, 'WINDOW_UPDATE by nothing');
    if (streamId === 0) {
      this.#window = checked(this.#window + bytes);
      return this.#advanceAll(maxFrameBytes);
    }
    const held = this.#held.get(streamId);
    if (held === undefined) return false;
    held.window = checked(held.window + bytes);
    return this.#advance(streamId, held, maxFrameBytes);
  }

  /** The peer changed what every stream starts with; open streams move by the difference. */
  adjust(differenceBytes: number, maxFrameBytes: number): void {
    for (const held of this.#held.values()) held.window = checked(held.window + differenceBytes);
    if (differenceBytes > 0) this.#advanceAll(maxFrameBytes);
  }

  #advanceAll(maxFrameBytes: number): boolean {
    const before = this.#window;
    for (const [streamId, held] of this.#held) this.#advance(streamId, held, maxFrameBytes);
    return this.#window < before;
  }

  #advance(streamId: number, held: HeldBody, maxFrameBytes: number): boolean {
    const { body, sent } = held;
    while (held.sent < body.length) {
      const left = body.length - held.sent;
      const bytes = Math.min(left, this.#window, held.window, maxFrameBytes);
      if (bytes <= 0) return held.sent > sent;
      this.#window -= bytes;
      held.window -= bytes;
      held.sent += bytes;
      const isLast = held.sent === body.length;
      this.#writer.flushBefore(held.options.startBefore);
      this.#writer.data(streamId, body, held.sent - bytes, held.sent, isLast);
    }
    this.#held.delete(streamId);
    return true;
  }
}

function checked(window: number): number {
  if (window > MAX_31_BITS) {
    throw new ProtocolFault(ERROR_CODE.flowControlError, 'a window of over 31 bits');
  }
  return window;
}
