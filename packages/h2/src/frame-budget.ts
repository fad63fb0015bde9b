import { ERROR_CODE } from './error-code.ts';
import { ProtocolFault } from './protocol-fault.ts';

/** What a calm peer never comes near to, whatever it has to say about its settings. */
const FULL = 2_000;
const REFILL_PER_SECOND = 100;
/** A request makes a peer send a few frames of its own: windows, a late reset, an empty DATA. */
const REFILL_PER_REQUEST = 8;

/**
 * Bounds the frames that cost us work and bring nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE,
 * RST_STREAM, empty DATA, interim answers (RFC 9113 section 10.5).
 */
export class FrameBudget {
  #left = FULL;
  #refilledAt = performance.now();

  /** Throws `ProtocolFault` when the peer has used up what it had. */
  spend(): void {
    this.#left -= 1;
    if (this.#left >= 0) return;
    const now = performance.now();
    this.#left = Math.floor(((now - this.#refilledAt) / 1_000) * REFILL_PER_SECOND);
    this.#refilledAt = now;
    if (this.#left < 1) throw new ProtocolFault(ERROR_CODE.enhanceYourCalm, 'a flood of frames');
    this.#left = Math.min(this.#left, FULL);
  }

  /** A request goes out. */
  earn(): void {
    if (this.#left < FULL) this.#left += REFILL_PER_REQUEST;
  }
}
