import type { ConnectionHealthOptions } from './connection-health.ts';
import type { TlsTarget } from './tls-socket.ts';

export interface ConnectionOptions extends TlsTarget, ConnectionHealthOptions {
  /**
   * The value of the `authorization` field, asked for when a request is put on a stream: what
   * waited for room while the credential was renewed must not carry the old one. Empty for none.
   */
  readonly authorization: () => string;
  /** From the request until the end of its answer, where the request does not say otherwise. */
  readonly answerTimeoutMs: number;
  /** Our own ceiling for open streams; the peer's SETTINGS may ask for less at any time. */
  readonly maxStreams: number;
  /** A larger body is not kept: its answer has the status and the headers alone. */
  readonly maxBodyBytes: number;
}
