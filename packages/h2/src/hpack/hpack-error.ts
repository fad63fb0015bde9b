/**
 * The peer's header block breaks RFC 7541. The tables of both sides can no longer be trusted to
 * agree, so that the connection must end with COMPRESSION_ERROR (RFC 9113 section 4.3).
 */
export class HpackError extends Error {
  override readonly name = 'HpackError';
}
