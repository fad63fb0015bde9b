import type { ByteCursor } from './byte-cursor.ts';
import { HpackError } from './hpack-error.ts';

/** No index, length or table size of ours comes near it, and it is a small integer in V8. */
const MAX_INTEGER = 2 ** 31 - 1;
/** Five times seven bits hold every allowed integer; more could only be zeros that cost time. */
const MAX_CONTINUATION_BYTES = 5;

/**
 * Reads an integer whose first bits are the last `prefixBits` of the byte at the cursor, and moves
 * the cursor behind it (RFC 7541 section 5.1). Throws `HpackError` when the block ends within it or
 * when it is above 2^31 - 1.
 */
export function readInteger(cursor: ByteCursor, prefixBits: number): number {
  if (cursor.at >= cursor.end) throw new HpackError('The block ends where an integer begins.');
  const prefixMax = (1 << prefixBits) - 1;
  const prefix = (cursor.bytes[cursor.at++] ?? 0) & prefixMax;
  return prefix < prefixMax ? prefix : prefixMax + readContinuation(cursor, prefixMax);
}

function readContinuation(cursor: ByteCursor, prefixMax: number): number {
  let value = 0;
  let factor = 1;
  for (let count = 0; count < MAX_CONTINUATION_BYTES; count += 1) {
    if (cursor.at >= cursor.end) throw new HpackError('The block ends within an integer.');
    const byte = cursor.bytes[cursor.at++] ?? 0;
    value += (byte & 0x7f) * factor;
    factor *= 128;
    if (byte < 0x80) {
      if (value > MAX_INTEGER - prefixMax) throw new HpackError('An integer is above 2^31 - 1.');
      return value;
    }
  }
  throw new HpackError(`An integer continues for more than ${MAX_CONTINUATION_BYTES} bytes.`);
}

/**
 * Writes an integer of at most 2^31 - 1, its first bits into the last `prefixBits` of a byte whose
 * other bits are `pattern`. Returns the offset behind it.
 */
export function writeInteger(
  target: Buffer,
  at: number,
  pattern: number,
  prefixBits: number,
  value: number,
): number {
  const prefixMax = (1 << prefixBits) - 1;
  if (value < prefixMax) {
    target[at] = pattern | value;
    return at + 1;
  }
  target[at] = pattern | prefixMax;
  let next = at + 1;
  let rest = value - prefixMax;
  while (rest >= 0x80) {
    target[next++] = 0x80 | (rest & 0x7f);
    rest >>>= 7;
  }
  target[next] = rest;
  return next + 1;
}
