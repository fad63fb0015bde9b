/** Error codes of RST_STREAM and GOAWAY (RFC 9113 section 7). */
export const ERROR_CODE = {
  noError: 0x0,
  protocolError: 0x1,
  internalError: 0x2,
  flowControlError: 0x3,
  settingsTimeout: 0x4,
  streamClosed: 0x5,
  frameSizeError: 0x6,
  refusedStream: 0x7,
  cancel: 0x8,
  compressionError: 0x9,
  connectError: 0xa,
  enhanceYourCalm: 0xb,
  inadequateSecurity: 0xc,
  http11Required: 0xd,
} as const;

export type ErrorCode = (typeof ERROR_CODE)[keyof typeof ERROR_CODE];

/** The name that RFC 9113 gives a code, for people who read a failure; else its number. */
export function errorCodeName(code: number): string {
  const known = Object.entries(ERROR_CODE).find(([, value]) => value === code);
  if (known === undefined) return String(code);
  return known[0].replaceAll(/[A-Z0-9]+/g, (part) => `_${part}`).toUpperCase();
}
