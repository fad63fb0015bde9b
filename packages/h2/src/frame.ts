/** Frame types (RFC 9113 section 6). */
export const FRAME = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goaway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

/** Frame flags (RFC 9113 section 6); `ack` and `endStream` share a bit on different frames. */
export const FLAG = {
  endStream: 0x1,
  ack: 0x1,
  endHeaders: 0x4,
  padded: 0x8,
  priority: 0x20,
} as const;

export const FRAME_HEADER_BYTES = 9;

/** The largest payload that every endpoint takes, and the largest that we take (section 4.2). */
export const DEFAULT_FRAME_BYTES = 16_384;

/** Stream ids and windows have 31 bits. */
export const MAX_31_BITS = 2 ** 31 - 1;

/** Of connections and streams, until SETTINGS and WINDOW_UPDATE say otherwise (section 6.9.2). */
export const DEFAULT_WINDOW_BYTES = 65_535;

/** Writes the nine bytes before a payload; returns the offset of the payload. */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  frame: {
    readonly length: number;
    readonly type: number;
    readonly flags: number;
    readonly streamId: number;
  },
): number {
  target.writeUInt32BE(frame.length * 256 + frame.type, at);
  target[at + 4] = frame.flags;
  target.writeUInt32BE(frame.streamId, at + 5);
  return at + FRAME_HEADER_BYTES;
}
