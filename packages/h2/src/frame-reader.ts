import { ERROR_CODE } from './error-code.ts';
import { DEFAULT_FRAME_BYTES, FRAME_HEADER_BYTES, MAX_31_BITS } from './frame.ts';
import { ProtocolFault } from './protocol-fault.ts';

/** A frame whose payload lies in a buffer that is only good until the call returns. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly buffer: Buffer;
  /** Where the payload starts in the buffer. */
  readonly start: number;
  readonly end: number;
}

/**
 * Cuts what comes from a socket into frames. A frame that lies in one chunk is passed on where it
 * is; only what a chunk leaves over is copied, at most one frame of 16 KiB.
 */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  readonly #carry = Buffer.allocUnsafe(FRAME_HEADER_BYTES + DEFAULT_FRAME_BYTES);
  #carried = 0;
  #isStopped = false;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Passes on what is complete now; throws `ProtocolFault` for a frame that is too long. */
  read(chunk: Buffer, length: number): void {
    if (this.#isStopped) return;
    let at = this.#carried > 0 ? this.#complete(chunk, length) : 0;
    while (!this.#isStopped && length - at >= FRAME_HEADER_BYTES) {
      const end = at + FRAME_HEADER_BYTES + payloadLength(chunk, at);
      if (end > length) break;
      this.#pass(chunk, at, end);
      at = end;
    }
    if (at >= length || this.#isStopped) return;
    chunk.copy(this.#carry, 0, at, length);
    this.#carried = length - at;
  }

  /** Nothing of what was read already is passed on any more. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Fills up the frame that began in an earlier chunk; returns where the next one starts. */
  #complete(chunk: Buffer, length: number): number {
    let at = this.#fill(chunk, 0, length, FRAME_HEADER_BYTES);
    if (this.#carried < FRAME_HEADER_BYTES) return at;
    const total = FRAME_HEADER_BYTES + payloadLength(this.#carry, 0);
    at = this.#fill(chunk, at, length, total);
    if (this.#carried < total) return at;
    this.#carried = 0;
    this.#pass(this.#carry, 0, total);
    return at;
  }

  #fill(chunk: Buffer, from: number, length: number, wanted: number): number {
    if (this.#carried >= wanted) return from;
    const to = Math.min(from + wanted - this.#carried, length);
    this.#carried += chunk.copy(this.#carry, this.#carried, from, to);
    return to;
  }

  #pass(buffer: Buffer, at: number, end: number): void {
    this.#onFrame({
      type: buffer.readUInt8(at + 3),
      flags: buffer.readUInt8(at + 4),
      // The highest bit is reserved and to be ignored (section 4.1).
      streamId: buffer.readUInt32BE(at + 5) & MAX_31_BITS,
      buffer,
      start: at + FRAME_HEADER_BYTES,
      end,
    });
  }
}

function payloadLength(buffer: Buffer, at: number): number {
  const length = buffer.readUInt32BE(at) >>> 8;
  if (length > DEFAULT_FRAME_BYTES) {
    throw new ProtocolFault(ERROR_CODE.frameSizeError, `a frame of ${length} bytes`);
  }
  return length;
}
