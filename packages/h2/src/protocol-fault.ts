import { ERROR_CODE, type ErrorCode } from './error-code.ts';
import { HpackError } from './hpack/hpack-error.ts';

/**
 * What a peer did that ends the connection (RFC 9113 section 5.4.1). Thrown by whoever reads its
 * bytes and caught in one place, where it becomes a GOAWAY: past such a fault nothing that the peer
 * says can be understood.
 */
export class ProtocolFault extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.name = 'ProtocolFault';
    this.code = code;
  }
}

/** What was caught, if the peer is to blame for it; null for a mistake of our own. */
export function faultOf(error: unknown): ProtocolFault | null {
  if (error instanceof ProtocolFault) return error;
  if (!(error instanceof HpackError)) return null;
  return new ProtocolFault(ERROR_CODE.compressionError, error.message);
}
