import type { FrameWriter } from './frame-writer.ts';
import { DEFAULT_WINDOW_BYTES } from './frame.ts';
import { SETTING } from './peer-settings.ts';

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
/** What we let the peer's encoder remember; the default of the protocol, so that it goes unsaid. */
export const HEADER_TABLE_BYTES = 4_096;
/** A push provider answers with a few hundred bytes of fields. */
export const MAX_HEADER_LIST_BYTES = 32 * 1024;

/** The first that a client says (RFC 9113 section 3.4): each stream may bring two whole bodies. */
export function writeGreeting(writer: FrameWriter, maxBodyBytes: number): void {
  writer.raw(PREFACE);
  writer.settings([
    [SETTING.enablePush, 0],
    [SETTING.initialWindowSize, Math.max(maxBodyBytes * 2, DEFAULT_WINDOW_BYTES)],
    [SETTING.maxHeaderListSize, MAX_HEADER_LIST_BYTES],
  ]);
}
