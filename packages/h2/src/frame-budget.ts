import { ERROR_CODE } from './error-code.ts';
import { ProtocolFault } from './protocol-fault.ts';

/** What a calm peer never comes near to, whatever it has to say about its settings. */
const CALM = 2_000;
const REFILL_PER_SECOND = 100;
/** A request makes a peer send a few frames of its own: windows, a late reset, an empty DATA. */
const REFILL_PER_REQUEST = 8;
/** Some open two windows whenever they have read 4 KiB of a body. */
const BODY_BYTES_PER_FRAME = 2_048;

/**
 * Bounds the frames that cost us work and bring nothing (RFC 9113 section 10.5): PING, SETTINGS,
 * PRIORITY, RST_STREAM, GOAWAY, WINDOW_UPDATE that lets nothing go, DATA that is empty or of
 * a stream that has ended, interim and late answers.
 */
export class FrameBudget {
  readonly #full: number;
  #left: number;
  #refilledAt = performance.now();

  /** For a connection with at most so many open streams, each of which may have spoken up. */
  constructor(maxStreams: number) {
    this.#full = CALM + REFILL_PER_REQUEST * maxStreams;
    this.#left = this.#full;
  }

  /** Throws `ProtocolFault` when the peer has used up what it had. */
  spend(): void {
    this.#left -= 1;
    if (this.#left >= 0) return;
    const now = performance.now();
    this.#left = Math.floor(((now - this.#refilledAt) / 1_000) * REFILL_PER_SECOND);
    this.#refilledAt = now;
    if (this.#left < 1) throw new ProtocolFault(ERROR_CODE.enhanceYourCalm, 'a flood of frames');
    this.#left = Math.min(this.#left, this.#full);
  }

  /** A request goes out. */
  earn(bodyBytes: number): void {
    if (this.#left >= this.#full) return;
    this.#left += REFILL_PER_REQUEST + Math.floor(bodyBytes / BODY_BYTES_PER_FRAME);
  }
}
