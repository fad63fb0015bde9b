import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HpackDecoder } from '../../src/hpack/decoder.ts';
import { HpackEncoder } from '../../src/hpack/encoder.ts';
import { decodeBlock, encodeBlock } from './block.ts';

const FIELD = { name: 'name', value: 'value' };
const OTHER = { name: 'name', value: 'other' };

describe('what the encoder says of its table', () => {
  test('a block begins with nothing while the size is the default', () => {
    assert.equal(begin(new HpackEncoder(4096)), '');
    assert.equal(begin(new HpackEncoder(65_536)), '');
  });

  test('a smaller table of its own choice is told with the first block, and once', () => {
    const encoder = new HpackEncoder(0);
    assert.equal(begin(encoder), '20');
    assert.equal(begin(encoder), '');
  });

  test('what the peer allows is used as far as our own limit', () => {
    const encoder = new HpackEncoder(8192);
    encoder.setTableLimit(2 ** 32 - 1);
    assert.equal(begin(encoder), '3fe13f');
    encoder.setTableLimit(16_384);
    assert.equal(begin(encoder), '');
    encoder.setTableLimit(100);
    assert.equal(begin(encoder), '3f45');
  });

  test('of several changes between two blocks the lowest and the last one are told', () => {
    const encoder = new HpackEncoder(4096);
    encodeBlock(encoder, [FIELD], () => 'incremental');
    for (const bytes of [1000, 0, 500, 4096]) encoder.setTableLimit(bytes);
    assert.equal(begin(encoder), '203fe11f');
    assert.deepEqual(encoder.table, { fields: [], bytes: 0 });
    for (const bytes of [1000, 2000, 500]) encoder.setTableLimit(bytes);
    assert.equal(begin(encoder), '3fd503');
  });

  test('a field that is larger than the table is a literal, and leaves the table as it is', () => {
    const encoder = new HpackEncoder(4096);
    encodeBlock(encoder, [FIELD], () => 'incremental');
    const { generation } = encoder;
    const large = { name: 'large', value: 'x'.repeat(4096) };
    const block = encodeBlock(encoder, [large], () => 'incremental');
    assert.equal(block[0], 0x00);
    assert.deepEqual(encoder.table.fields, [FIELD]);
    assert.equal(encoder.generation, generation);
  });
});

describe('when encoded bytes may be kept', () => {
  test('the generation changes with each field that is added, and with each eviction', () => {
    const encoder = new HpackEncoder(4096);
    const seen = [encoder.generation];
    encodeBlock(encoder, [FIELD], () => 'incremental');
    seen.push(encoder.generation);
    encodeBlock(encoder, [OTHER], () => 'incremental');
    seen.push(encoder.generation);
    encoder.setTableLimit(60);
    seen.push(encoder.generation);
    assert.equal(new Set(seen).size, 4);
    assert.deepEqual(encoder.table.fields, [OTHER]);
  });

  test('it stays while no index moves', () => {
    const encoder = new HpackEncoder(4096);
    encodeBlock(encoder, [FIELD], () => 'incremental');
    const { generation } = encoder;
    encodeBlock(encoder, [FIELD], () => 'incremental');
    encodeBlock(encoder, [OTHER], () => 'without');
    encodeBlock(encoder, [OTHER], () => 'never');
    encoder.setTableLimit(1000);
    assert.equal(encoder.generation, generation);
  });
});

describe('what the decoder lets the peer use', () => {
  test('a peer that may use more than the default has the default until it says so', () => {
    const decoder = new HpackDecoder({ maxTableBytes: 65_536, maxListBytes: 65_536 });
    const encoder = new HpackEncoder(65_536);
    const large = { name: 'a', value: 'x'.repeat(5000) };
    const block = encodeBlock(encoder, [large], () => 'incremental');
    // The encoder would not empty its table; another one may.
    block[0] = 0x40;
    decodeBlock(decoder, block);
    assert.deepEqual(decoder.table.fields, []);
    encoder.setTableLimit(65_536);
    decodeBlock(
      decoder,
      encodeBlock(encoder, [large], () => 'incremental'),
    );
    assert.deepEqual(decoder.table, encoder.table);
    assert.equal(decoder.table.bytes, 5033);
  });
});

function begin(encoder: HpackEncoder): string {
  const target = Buffer.alloc(16);
  return target.subarray(0, encoder.begin(target, 0)).toString('hex');
}
