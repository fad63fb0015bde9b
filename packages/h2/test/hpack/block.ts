import assert from 'node:assert/strict';
import type { HpackDecoder } from '../../src/hpack/decoder.ts';
import {
  MAX_SIZE_UPDATE_BYTES,
  maxFieldBytes,
  type FieldMode,
  type HpackEncoder,
} from '../../src/hpack/encoder.ts';
import type { HeaderField } from '../../src/hpack/header-field.ts';

/** Bytes from hexadecimal digits, between which there may be white space. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(/\s/g, ''), 'hex');
}

/** All fields of one list as one block, the size updates that were due before them. */
export function encodeBlock(
  encoder: HpackEncoder,
  fields: readonly HeaderField[],
  modeOf: (field: HeaderField) => FieldMode,
): Buffer {
  const room = fields.reduce((sum, { name, value }) => sum + maxFieldBytes(name, value), 0);
  const target = Buffer.alloc(MAX_SIZE_UPDATE_BYTES + room);
  let at = encoder.begin(target, 0);
  for (const field of fields) {
    at = encoder.field(target, at, field.name, field.value, modeOf(field));
    assert(at <= target.length, 'a field fits into what `maxFieldBytes` promises');
  }
  return target.subarray(0, at);
}

/** The fields of a block that is not too large. */
export function decodeBlock(decoder: HpackDecoder, block: Buffer): readonly HeaderField[] {
  const list = decoder.decode(block, 0, block.length);
  assert(!list.tooLarge);
  return list.fields;
}
