import { ERROR_CODE } from './error-code.ts';
import type { Frame } from './frame-reader.ts';
import { FLAG } from './frame.ts';
import { ProtocolFault } from './protocol-fault.ts';

/** A header block that is longer, compressed, says nothing that a push provider would say. */
const MAX_BLOCK_BYTES = 64 * 1024;
/** An attacker could go on with empty frames for ever (CVE-2024-27316 and its siblings). */
const MAX_CONTINUATIONS = 16;

/** A whole header block, good until the call that it is passed to returns. */
export interface HeaderBlock {
  readonly streamId: number;
  readonly endsStream: boolean;
  readonly buffer: Buffer;
  readonly start: number;
  readonly end: number;
}

interface OpenBlock {
  readonly streamId: number;
  readonly endsStream: boolean;
  readonly parts: Buffer[];
  bytes: number;
}

/** Puts HEADERS and the CONTINUATIONs that follow it together (RFC 9113 sections 6.2, 6.10). */
export class HeaderAssembly {
  #open: OpenBlock | null = null;

  /** The stream whose block is not complete; nothing else may come in between. */
  get openStream(): number | null {
    return this.#open?.streamId ?? null;
  }

  /** A HEADERS frame; the block, if this is all of it. */
  begin(frame: Frame): HeaderBlock | null {
    const { buffer, streamId, flags } = frame;
    const payload = unpadded(frame);
    const { end } = payload;
    // Priority is obsolete; what is left of it is skipped (section 5.3.2).
    const start = payload.start + ((flags & FLAG.priority) === 0 ? 0 : 5);
    if (start > end) throw new ProtocolFault(ERROR_CODE.frameSizeError, 'HEADERS too short');
    const endsStream = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) return { streamId, endsStream, buffer, start, end };
    const parts = [Buffer.from(buffer.subarray(start, end))];
    this.#open = { streamId, endsStream, parts, bytes: end - start };
    return null;
  }

  /** A CONTINUATION frame; the block, if this was the last of it. */
  continue({ streamId, flags, buffer, start, end }: Frame): HeaderBlock | null {
    const open = this.#open;
    if (open === null || open.streamId !== streamId) {
      throw new ProtocolFault(ERROR_CODE.protocolError, 'CONTINUATION of nothing');
    }
    open.parts.push(Buffer.from(buffer.subarray(start, end)));
    open.bytes += end - start;
    if (open.bytes > MAX_BLOCK_BYTES || open.parts.length > MAX_CONTINUATIONS + 1) {
      throw new ProtocolFault(ERROR_CODE.enhanceYourCalm, 'a header block without an end');
    }
    if ((flags & FLAG.endHeaders) === 0) return null;
    this.#open = null;
    const block = Buffer.concat(open.parts);
    return { ...open, buffer: block, start: 0, end: block.length };
  }
}

/** The payload of HEADERS or DATA without its padding; throws where the padding is all there is. */
export function unpadded(frame: Frame): { start: number; end: number } {
  const { buffer, flags, start, end } = frame;
  if ((flags & FLAG.padded) === 0) return { start, end };
  if (start >= end) throw new ProtocolFault(ERROR_CODE.frameSizeError, 'padding without a length');
  const padding = buffer.readUInt8(start);
  if (start + 1 + padding > end) {
    throw new ProtocolFault(ERROR_CODE.protocolError, 'more padding than payload');
  }
  return { start: start + 1, end: end - padding };
}
