import assert from 'node:assert/strict';
import type { HpackDecoder } from '../../src/hpack/decoder.ts';
import type { FieldMode, HpackEncoder } from '../../src/hpack/encoder.ts';
import type { HeaderField } from '../../src/hpack/header-field.ts';
import { withHuffman, type StringCoding } from './huffman-encoder.ts';

/** Of an integer of at most 2^31 - 1. */
const MAX_INTEGER_BYTES = 6;

/** Bytes from hexadecimal digits, between which there may be white space. */
export function hex(digits: string): Buffer {
  return Buffer.from(digits.replaceAll(/\s/g, ''), 'hex');
}

/** All fields of one list as one block, the size updates that were due before them. */
export function encodeBlock(
  encoder: HpackEncoder,
  fields: readonly HeaderField[],
  modeOf: (field: HeaderField) => FieldMode,
  strings: StringCoding = 'plain',
): Buffer {
  const room = fields.map(({ name, value }) => 3 * MAX_INTEGER_BYTES + name.length + value.length);
  const target = Buffer.alloc(room.reduce((sum, bytes) => sum + bytes, 2 * MAX_INTEGER_BYTES));
  let at = encoder.begin(target, 0);
  for (const field of fields) {
    at = encoder.field(target, at, field.name, field.value, modeOf(field));
    assert(at <= target.length, 'a field is no longer than its bound');
  }
  const block = target.subarray(0, at);
  return strings === 'plain' ? block : withHuffman(block);
}

/** The fields of a block that is not too large. */
export function decodeBlock(decoder: HpackDecoder, block: Buffer): readonly HeaderField[] {
  const list = decoder.decode(block, 0, block.length);
  assert(!list.tooLarge);
  return list.fields;
}
