import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HpackError } from '../../src/hpack/hpack-error.ts';
import { readInteger, writeInteger } from '../../src/hpack/integer.ts';
import { hex } from './block.ts';

const MAX_INTEGER_BYTES = 6;
const MAX = 2 ** 31 - 1;

describe('integers with a prefix', () => {
  for (const [section, value, prefixBits, bytes] of [
    ['C.1.1', 10, 5, '0a'],
    ['C.1.2', 1337, 5, '1f9a0a'],
    ['C.1.3', 42, 8, '2a'],
  ] as const) {
    test(`${section}: ${value} behind a prefix of ${prefixBits} bits is ${bytes}`, () => {
      assert.equal(write(0, prefixBits, value).toString('hex'), bytes);
      assert.deepEqual(read(hex(bytes), prefixBits), { value, at: bytes.length / 2 });
    });
  }

  test('what is written is read again, at every edge and behind every prefix', () => {
    for (let prefixBits = 1; prefixBits <= 8; prefixBits += 1) {
      const edges = Array.from({ length: 31 }, (_, bits) => 2 ** bits);
      const values = edges.flatMap((edge) => [edge - 1, edge, edge + (1 << prefixBits) - 1]);
      for (const value of [...values.filter((value) => value <= MAX), MAX - 1, MAX]) {
        const bytes = write(0, prefixBits, value);
        assert.deepEqual(read(bytes, prefixBits), { value, at: bytes.length });
        assert(bytes.length <= MAX_INTEGER_BYTES);
      }
    }
  });

  test('the bits beside the prefix are kept by who writes, and ignored by who reads', () => {
    const bytes = write(0xe0, 5, 1337);
    assert.equal(bytes.toString('hex'), 'ff9a0a');
    assert.equal(read(bytes, 5).value, 1337);
  });

  test('an integer above 2^31 - 1 is an error', () => {
    // 31 + 0x7fffffe0 is the largest one, and one more is too many.
    assert.equal(read(hex('1fe0ffffff07'), 5).value, MAX);
    assert.throws(() => read(hex('1fe1ffffff07'), 5), HpackError);
    assert.throws(() => read(hex('1fffffffff7f'), 5), HpackError);
  });

  test('zeros may make an integer longer, up to five bytes behind the prefix', () => {
    assert.deepEqual(read(hex('1f8080808000'), 5), { value: 31, at: 6 });
    assert.throws(() => read(hex('1f808080808000'), 5), HpackError);
    assert.throws(() => read(hex('1fffffffffff00'), 5), HpackError);
  });

  test('an integer that is cut off anywhere is an error', () => {
    const bytes = hex('1fe0ffffff07');
    for (let length = 0; length < bytes.length; length += 1) {
      assert.throws(() => read(bytes.subarray(0, length), 5), HpackError);
    }
  });
});

function read(bytes: Buffer, prefixBits: number): { readonly value: number; readonly at: number } {
  const cursor = { bytes, at: 0, end: bytes.length };
  return { value: readInteger(cursor, prefixBits), at: cursor.at };
}

function write(pattern: number, prefixBits: number, value: number): Buffer {
  const target = Buffer.alloc(MAX_INTEGER_BYTES + 1);
  return target.subarray(0, writeInteger(target, 0, pattern, prefixBits, value));
}
