import type { FrameWriter } from './frame-writer.ts';
import { DEFAULT_WINDOW_BYTES } from './frame.ts';

/** Far more than the answers of a thousand streams have, so that it never holds a peer up. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024;

/**
 * What the peer may send us on the whole connection (RFC 9113 section 5.2). Streams need no
 * counterpart: each starts with a window that holds the largest answer we take, and is reset when
 * it has more to say. Nothing of what comes is kept waiting, so the window is opened again as soon
 * as half of it is used, and a peer that would overrun it gains nothing by that.
 */
export class InboundFlow {
  readonly #writer: FrameWriter;
  #window = CONNECTION_WINDOW_BYTES;

  constructor(writer: FrameWriter) {
    this.#writer = writer;
  }

  /** Opens the window to its full size; before that it has what the protocol gives. */
  open(): void {
    this.#writer.windowUpdate(0, CONNECTION_WINDOW_BYTES - DEFAULT_WINDOW_BYTES);
  }

  /** Counts a DATA payload, padding included, also of streams that nobody listens to any more. */
  receive(bytes: number): void {
    this.#window -= bytes;
    if (this.#window > CONNECTION_WINDOW_BYTES / 2) return;
    this.#writer.windowUpdate(0, CONNECTION_WINDOW_BYTES - this.#window);
    this.#window = CONNECTION_WINDOW_BYTES;
  }
}
