import { createHash } from 'node:crypto';

const HEX_DIGITS = /^[0-9a-f]{32}$/;
const DASHED = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/**
 * A UUID in canonical lower-case form, from the dashed form or 32 hex digits; null for anything
 * else.
 */
export function parseUuid(text: string): string | null {
  const lower = text.toLowerCase();
  if (DASHED.test(lower)) return lower;
  return HEX_DIGITS.test(lower) ? dashed(lower) : null;
}

/** Name-based UUID, version 5 (RFC 9562 section 5.5), in a name space that is itself a UUID. */
export function nameBasedUuid(namespace: string, name: string): string {
  const bytes = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name)
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return dashed(bytes.toString('hex'));
}

/** Whether an id was made by `nameBasedUuid`, going by the version that is written in it. */
export function isNameBased(uuid: string): boolean {
  return uuid.charAt(14) === '5';
}

/** Sixteen bytes in hex, as a dashed UUID. */
function dashed(hex: string): string {
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return `${parts.join('-')}-${hex.slice(20)}`;
}
