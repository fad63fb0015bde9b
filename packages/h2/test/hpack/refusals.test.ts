import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HpackDecoder } from '../../src/hpack/decoder.ts';
import { HpackEncoder } from '../../src/hpack/encoder.ts';
import { HpackError } from '../../src/hpack/hpack-error.ts';
import { EXAMPLES } from './appendix-c.ts';
import { decodeBlock, encodeBlock, hex } from './block.ts';

describe('blocks that the decoder refuses', () => {
  test('an index of 0, and one beyond both tables', () => {
    refuses('80');
    // 62 is the first index of the dynamic table, which is empty.
    refuses('be');
    refuses('ff00');
    accepts('bd');
    // One entry, which has the index 62; 63 is beyond it.
    accepts('4001610162 be');
    refuses('4001610162 bf');
  });

  test('a literal whose name has an index beyond both tables', () => {
    for (const [known, unknown] of [
      ['7d', '7e'],
      ['0f2e', '0f2f'],
      ['1f2e', '1f2f'],
    ]) {
      accepts(`${known} 0162`);
      refuses(`${unknown} 0162`);
    }
  });

  test('an entry that was evicted', () => {
    const decoder = createDecoder();
    decodeBlock(decoder, hex('4001610162 be'));
    // The size 0 evicts it, and the size 4096 does not bring it back.
    decodeBlock(decoder, hex('20 3fe11f'));
    assert.throws(() => decodeBlock(decoder, hex('be')), HpackError);
  });

  test('an integer that is too large, or too long', () => {
    // An index, the length of a name, the length of a value, a table size.
    for (const start of ['ff', '007f', '0001617f', '3f']) {
      refuses(`${start} ffffffff7f`);
      refuses(`${start} 808080808000`);
    }
  });

  test('a Huffman string with EOS, or with padding that is wrong', () => {
    accepts('0001 61 81 07');
    for (const value of ['84 ffffffff', '85 fffffffc1f', '81 00', '81 ff', '82 07ff']) {
      refuses(`0001 61 ${value}`);
      refuses(`00 ${value} 0161`);
    }
  });

  test('a size update above the limit', () => {
    accepts('3fe11f');
    refuses('3fe21f');
  });

  test('a size update behind a field', () => {
    accepts('20 88');
    refuses('88 20');
    refuses('20 88 20');
  });

  test('more size updates than two', () => {
    accepts('20 3fe11f 88');
    refuses('20 20 3fe11f 88');
  });

  test('every example of Appendix C, wherever it is cut within a field', () => {
    for (const { maxTableBytes, blocks } of EXAMPLES) {
      for (const [position, block] of blocks.entries()) {
        const bytes = hex(block.hex);
        let wholeFields = 0;
        for (let length = 0; length < bytes.length; length += 1) {
          const decoder = new HpackDecoder({ maxTableBytes, maxListBytes: 4096 });
          for (const before of blocks.slice(0, position)) decodeBlock(decoder, hex(before.hex));
          wholeFields += endsBehindField(decoder, bytes.subarray(0, length)) ? 1 : 0;
        }
        assert.equal(wholeFields, block.fields.length, 'only a cut between two fields is accepted');
      }
    }
  });

  test('the bytes behind its end are not read', () => {
    const decoder = createDecoder();
    const block = hex('0001610162');
    assert.throws(() => decoder.decode(block, 0, block.length - 1), HpackError);
    assert.deepEqual(decoder.decode(hex('ffff 88 ffff'), 2, 3), {
      tooLarge: false,
      fields: [{ name: ':status', value: '200' }],
    });
  });
});

describe('header lists that are too large', () => {
  const field = { name: 'name', value: 'value' };
  const fieldSize = 4 + 5 + 32;

  test('a list of exactly the limit is given, and one byte more is too large', () => {
    const block = encodeBlock(new HpackEncoder(4096), [field, field], () => 'without');
    const decode = (maxListBytes: number): boolean =>
      new HpackDecoder({ maxTableBytes: 4096, maxListBytes }).decode(block, 0, block.length)
        .tooLarge;
    assert.equal(decode(2 * fieldSize), false);
    assert.equal(decode(2 * fieldSize - 1), true);
  });

  test('the table is kept right, so that the next list is read as ever', () => {
    const encoder = new HpackEncoder(4096);
    const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 2 * fieldSize });
    const others = ['1', '2', '3'].map((value) => ({ name: 'name', value }));
    const large = encodeBlock(encoder, [...others, field], () => 'incremental');
    assert.deepEqual(decoder.decode(large, 0, large.length), { tooLarge: true });
    assert.deepEqual(decoder.table, encoder.table);
    const small = encodeBlock(encoder, [field], () => 'incremental');
    assert.equal(small.length, 1);
    assert.deepEqual(decodeBlock(decoder, small), [field]);
  });

  test('what follows in one that is too large must still be right', () => {
    const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 0 });
    assert.throws(() => decoder.decode(hex('88 80'), 0, 2), HpackError);
  });
});

function createDecoder(): HpackDecoder {
  return new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 4096 });
}

function accepts(digits: string): void {
  decodeBlock(createDecoder(), hex(digits));
}

function refuses(digits: string): void {
  const block = hex(digits);
  assert.throws(() => createDecoder().decode(block, 0, block.length), HpackError, digits);
}

function endsBehindField(decoder: HpackDecoder, block: Buffer): boolean {
  try {
    decodeBlock(decoder, block);
    return true;
  } catch (error) {
    assert(error instanceof HpackError);
    return false;
  }
}
