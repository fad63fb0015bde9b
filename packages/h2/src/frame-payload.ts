import { ERROR_CODE } from './error-code.ts';
import type { Frame } from './frame-reader.ts';
import { MAX_31_BITS } from './frame.ts';
import { ProtocolFault } from './protocol-fault.ts';

/** The code of RST_STREAM (RFC 9113 section 6.4). Throws `ProtocolFault`, as all here do. */
export function readReset(frame: Frame): number {
  assertLength(frame, 4);
  return frame.buffer.readUInt32BE(frame.start);
}

/** The eight bytes of PING, good until the call that the frame was passed to returns (6.7). */
export function readPing(frame: Frame): Buffer {
  assertLength(frame, 8);
  assertOfConnection(frame);
  return frame.buffer.subarray(frame.start, frame.end);
}

/** The last stream that the peer may act on, and its code (section 6.8). */
export function readGoaway(frame: Frame): { lastStreamId: number; code: number } {
  const { buffer, start, end } = frame;
  assertOfConnection(frame);
  if (end - start < 8) throw new ProtocolFault(ERROR_CODE.frameSizeError, 'GOAWAY too short');
  const lastStreamId = buffer.readUInt32BE(start) & MAX_31_BITS;
  return { lastStreamId, code: buffer.readUInt32BE(start + 4) };
}

/** By how many bytes WINDOW_UPDATE opens a window, of which 0 is a fault (section 6.9). */
export function readWindowUpdate(frame: Frame): number {
  assertLength(frame, 4);
  return frame.buffer.readUInt32BE(frame.start) & MAX_31_BITS;
}

/** Throws unless the payload has so many bytes. */
export function assertLength({ start, end }: Frame, expected: number): void {
  if (end - start === expected) return;
  throw new ProtocolFault(ERROR_CODE.frameSizeError, `a frame of ${end - start} bytes`);
}

/** Throws for a frame of a stream that can only be one of the whole connection. */
export function assertOfConnection({ type, streamId }: Frame): void {
  if (streamId === 0) return;
  throw new ProtocolFault(ERROR_CODE.protocolError, `a frame of type ${type} on a stream`);
}
