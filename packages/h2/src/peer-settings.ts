import { ERROR_CODE } from './error-code.ts';
import { assertLength, assertOfConnection } from './frame-payload.ts';
import type { Frame } from './frame-reader.ts';
import { DEFAULT_FRAME_BYTES, DEFAULT_WINDOW_BYTES, FLAG, MAX_31_BITS } from './frame.ts';
import { ProtocolFault } from './protocol-fault.ts';

/** Identifiers of settings (RFC 9113 section 6.5.2). */
export const SETTING = {
  headerTableSize: 0x1,
  enablePush: 0x2,
  maxConcurrentStreams: 0x3,
  initialWindowSize: 0x4,
  maxFrameSize: 0x5,
  maxHeaderListSize: 0x6,
} as const;

/** What the peer allows us; it may change its mind at any time. */
export interface PeerSettings {
  readonly headerTableBytes: number;
  /** The lowest that the last frame named: the peer may have cut its table down in between. */
  readonly lowestTableBytes: number;
  /** Infinity until the peer sets a limit. */
  readonly maxStreams: number;
  readonly initialWindowBytes: number;
  readonly maxFrameBytes: number;
  readonly maxHeaderListBytes: number;
}

/** The values that hold before the peer has said anything. */
export const INITIAL_PEER_SETTINGS: PeerSettings = {
  headerTableBytes: 4_096,
  lowestTableBytes: 4_096,
  maxStreams: Number.POSITIVE_INFINITY,
  initialWindowBytes: DEFAULT_WINDOW_BYTES,
  maxFrameBytes: DEFAULT_FRAME_BYTES,
  maxHeaderListBytes: Number.POSITIVE_INFINITY,
};

/**
 * The settings after the peer's frame, null where it acknowledges ours; throws `ProtocolFault` for
 * a frame that is malformed and for values that a server must not send.
 */
export function readSettings(settings: PeerSettings, frame: Frame): PeerSettings | null {
  const { flags, buffer, start, end } = frame;
  assertOfConnection(frame);
  if ((flags & FLAG.ack) !== 0) {
    assertLength(frame, 0);
    return null;
  }
  if ((end - start) % 6 !== 0) {
    throw new ProtocolFault(ERROR_CODE.frameSizeError, 'SETTINGS of a broken length');
  }
  const next = { ...settings, lowestTableBytes: Number.POSITIVE_INFINITY };
  for (let at = start; at < end; at += 6) {
    const value = buffer.readUInt32BE(at + 2);
    switch (buffer.readUInt16BE(at)) {
      case SETTING.headerTableSize:
        next.headerTableBytes = value;
        next.lowestTableBytes = Math.min(next.lowestTableBytes, value);
        break;
      case SETTING.enablePush:
        insist(value === 0, ERROR_CODE.protocolError, 'a server enables no push');
        break;
      case SETTING.maxConcurrentStreams:
        next.maxStreams = value;
        break;
      case SETTING.initialWindowSize:
        insist(value <= MAX_31_BITS, ERROR_CODE.flowControlError, 'a window of over 31 bits');
        next.initialWindowBytes = value;
        break;
      case SETTING.maxFrameSize: {
        const isAllowed = value >= DEFAULT_FRAME_BYTES && value < 2 ** 24;
        insist(isAllowed, ERROR_CODE.protocolError, `a frame size of ${value}`);
        next.maxFrameBytes = value;
        break;
      }
      case SETTING.maxHeaderListSize:
        next.maxHeaderListBytes = value;
        break;
      default:
      // Unknown settings are to be ignored.
    }
  }
  return { ...next, lowestTableBytes: Math.min(next.lowestTableBytes, next.headerTableBytes) };
}

function insist(holds: boolean, code: ProtocolFault['code'], message: string): void {
  if (!holds) throw new ProtocolFault(code, message);
}
