import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  createSeededRandom,
  freshSeed,
  type SeededRandom,
} from '../../../../test/seeded-random.ts';
import { HpackDecoder } from '../../src/hpack/decoder.ts';
import { HpackEncoder } from '../../src/hpack/encoder.ts';
import { decodeBlock, encodeBlock } from './block.ts';
import type { StringCoding } from './huffman-encoder.ts';
import { randomFields } from './random-fields.ts';

const CONNECTIONS = 60;
const BLOCKS = 60;
const TABLE_SIZES = [0, 31, 32, 40, 100, 256, 1000, 4096, 10_000, 65_536];
const CODINGS: readonly StringCoding[] = ['plain', 'shorter'];
const MODES = ['incremental', 'incremental', 'without', 'never'] as const;

describe('what our encoder writes', () => {
  test('our decoder reads, with both tables alike after each block', (t) => {
    const random = createSeededRandom(freshSeed());
    t.diagnostic(`seed ${random.seed}`);
    for (let connection = 0; connection < CONNECTIONS; connection += 1) converse(random);
  });

  test('a field keeps its bytes for as long as the generation is the same', (t) => {
    const random = createSeededRandom(freshSeed());
    t.diagnostic(`seed ${random.seed}`);
    const encoder = new HpackEncoder(1000);
    const decoder = new HpackDecoder({ maxTableBytes: 4096, maxListBytes: 2 ** 20 });
    let checked = 0;
    for (let round = 0; round < 1000; round += 1) {
      const fields = randomFields(random, 3);
      decodeBlock(
        decoder,
        encodeBlock(encoder, fields, () => 'incremental'),
      );
      const { generation } = encoder;
      const kept = encodeBlock(encoder, fields, () => 'incremental');
      decodeBlock(decoder, kept);
      if (encoder.generation !== generation) continue;
      decodeBlock(
        decoder,
        encodeBlock(encoder, randomFields(random, 3), () => 'without'),
      );
      assert.deepEqual(decodeBlock(decoder, kept), fields);
      checked += 1;
    }
    assert(checked > 100, `${checked} were checked`);
  });
});

/** One connection, whose encoder is allowed another table size every now and then. */
function converse(random: SeededRandom): void {
  const encoder = new HpackEncoder(random.pick(TABLE_SIZES));
  const strings = random.pick(CODINGS);
  const decoder = new HpackDecoder({ maxTableBytes: 65_536, maxListBytes: 2 ** 20 });
  for (let block = 0; block < BLOCKS; block += 1) {
    const changes = random.chance(0.2) ? random.below(4) : 0;
    for (let change = 0; change < changes; change += 1) {
      encoder.setTableLimit(random.pick(TABLE_SIZES));
    }
    const fields = randomFields(random, 12);
    const bytes = encodeBlock(encoder, fields, () => random.pick(MODES), strings);
    assert.deepEqual(decodeBlock(decoder, bytes), fields);
    assert.deepEqual(decoder.table, encoder.table);
  }
}
