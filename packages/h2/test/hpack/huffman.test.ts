import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createSeededRandom, freshSeed } from '../../../../test/seeded-random.ts';
import { HpackError } from '../../src/hpack/hpack-error.ts';
import { CODE_BITS, CODES, EOS } from '../../src/hpack/huffman-code.ts';
import { decodeHuffman } from '../../src/hpack/huffman.ts';
import { hex } from './block.ts';
import { encodeHuffman, huffmanLength } from './huffman-encoder.ts';

const LATIN1 = Array.from({ length: 256 }, (_, symbol) => String.fromCharCode(symbol));

describe('the Huffman code', () => {
  test('it has the codes of Appendix B', () => {
    const listed: readonly (readonly [symbol: number, code: number, bits: number])[] = [
      [0, 0x1ff8, 13],
      [9, 0xffffea, 24],
      [0x20, 0x14, 6],
      [0x23, 0xffa, 12],
      [0x30, 0x0, 5],
      [0x5a, 0xfd, 8],
      [0x5c, 0x7fff0, 19],
      [0x7a, 0x7b, 7],
      [0x7f, 0xffffffc, 28],
      [0x80, 0xfffe6, 20],
      [0xa1, 0x1fffdd, 21],
      [0xc7, 0x1ffffec, 25],
      [0xcb, 0x7ffffde, 27],
      [0xff, 0x3ffffee, 26],
      [EOS, 0x3fffffff, 30],
    ];
    for (const [symbol, code, bits] of listed) {
      assert.deepEqual([CODES[symbol], CODE_BITS[symbol]], [code, bits], `symbol ${symbol}`);
    }
  });

  test('it is complete: every sequence of bits begins with one code', () => {
    const share = CODE_BITS.reduce((sum, bits) => sum + 2 ** -bits, 0);
    assert.deepEqual([CODE_BITS.length, share], [257, 1]);
  });

  test('every character comes back, alone and next to every other one', () => {
    for (const first of LATIN1) {
      for (const second of ['', ...LATIN1]) assertComesBack(first + second);
    }
  });

  test('random strings come back, short ones and those beyond the scratch buffer', (t) => {
    const random = createSeededRandom(freshSeed());
    t.diagnostic(`seed ${random.seed}`);
    for (const length of [0, 1, 7, 8, 9, 100, 1000, 4095, 4096, 4097, 20_000]) {
      for (let round = 0; round < 8; round += 1) {
        const characters = round % 2 === 0 ? LATIN1 : LATIN1.slice(0x20, 0x7f);
        assertComesBack(Array.from({ length }, () => random.pick(characters)).join(''));
      }
    }
  });

  test('padding of zeros, of mixed bits, or of a whole byte is an error', () => {
    // "0" is 00000, which three bits of padding follow.
    assert.equal(decode('07'), '0');
    for (const bytes of ['00', '03', '05', '06', '07ff', '07ffff']) {
      assert.throws(() => decode(bytes), HpackError, bytes);
    }
    // "&" is 11111000: it fills its byte, and a byte of ones behind it is too much padding.
    assert.equal(decode('f8'), '&');
    assert.throws(() => decode('f8ff'), HpackError);
    assert.throws(() => decode('ff'), HpackError);
  });

  test('a string that ends within a code is an error', () => {
    // The code of U+0000 has thirteen bits.
    assert.equal(decode('ffc7'), '\0');
    assert.throws(() => decode('ffc0'), HpackError);
  });

  test('EOS is an error wherever it stands', () => {
    assert.throws(() => decode('ffffffff'), HpackError);
    // Behind a character, in front of one, and as the last thing in the string.
    assert.throws(() => decode('07ffffffff'), HpackError);
    assert.throws(() => decode('fffffffc1f'), HpackError);
    assert.throws(() => decode('f8fffffffc07'), HpackError);
  });
});

function assertComesBack(text: string): void {
  const target = Buffer.alloc(4 * text.length + 8, 0xaa);
  const end = encodeHuffman(target, 4, text);
  assert.equal(end - 4, huffmanLength(text));
  assert.equal(target[end], 0xaa, 'nothing is written behind the string');
  assert.equal(decodeHuffman(target, 4, end), text);
}

function decode(digits: string): string {
  const bytes = hex(digits);
  return decodeHuffman(bytes, 0, bytes.length);
}
