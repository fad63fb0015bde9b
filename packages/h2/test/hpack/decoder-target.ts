import assert from 'node:assert/strict';
import type { SeededRandom } from '../../../../test/seeded-random.ts';
import { HpackDecoder, type HeaderList } from '../../src/hpack/decoder.ts';
import { HpackEncoder } from '../../src/hpack/encoder.ts';
import { fieldBytes, type HeaderField } from '../../src/hpack/header-field.ts';
import { HpackError } from '../../src/hpack/hpack-error.ts';
import { decodeBlock, encodeBlock, hex } from './block.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { randomBytes } from './mutation.ts';
import { randomFields } from './random-fields.ts';

const MAX_TABLE_BYTES = 4096;
const MAX_LIST_BYTES = 2000;
const MODES = ['incremental', 'incremental', 'without', 'never'] as const;
/** Two size updates: they empty a table and give it its size back. */
const EMPTIED = hex('20 3fe11f');

type Result =
  | { readonly kind: 'accepted'; readonly list: HeaderList }
  | { readonly kind: 'refused'; readonly message: string };

/**
 * The HPACK decoder. One of them lives through all inputs, errors included, and a fresh one for
 * each input tells what the long life must not have changed.
 */
export function createDecoderTarget(): FuzzTarget {
  const veteran = createDecoder();
  return {
    name: 'the HPACK decoder',
    createValid(random) {
      const encoder = new HpackEncoder(MAX_TABLE_BYTES);
      const strings = random.pick(['plain', 'shorter'] as const);
      const blocks = Array.from({ length: 1 + random.below(2) }, () =>
        encodeBlock(encoder, randomFields(random, 8), () => random.pick(MODES), strings),
      );
      return Buffer.concat(blocks);
    },
    feed(input, random) {
      // As it comes, on top of what the table holds from the inputs before.
      checkResult(decodeAmongOthers(veteran, input, random));
      checkTable(veteran);
      // With tables that are alike, both say the same.
      const fresh = createDecoder();
      const block = Buffer.concat([EMPTIED, input]);
      const result = decodeAmongOthers(fresh, block, random);
      assert.deepEqual(decodeAmongOthers(veteran, block, random), result);
      assert.deepEqual(veteran.table, fresh.table);
      return result.kind;
    },
  };
}

function createDecoder(): HpackDecoder {
  return new HpackDecoder({ maxTableBytes: MAX_TABLE_BYTES, maxListBytes: MAX_LIST_BYTES });
}

/** Decodes the block where it stands between random bytes, which must not matter. */
function decodeAmongOthers(decoder: HpackDecoder, block: Buffer, random: SeededRandom): Result {
  const before = randomBytes(random, 8);
  const bytes = Buffer.concat([before, block, randomBytes(random, 8)]);
  try {
    const list = decoder.decode(bytes, before.length, before.length + block.length);
    return { kind: 'accepted', list };
  } catch (error) {
    if (!(error instanceof HpackError)) throw error;
    return { kind: 'refused', message: error.message };
  }
}

/** A list keeps its bound, and comes back when it is encoded and decoded once more. */
function checkResult(result: Result): void {
  if (result.kind === 'refused' || result.list.tooLarge) return;
  const { fields } = result.list;
  assert(bytesOf(fields) <= MAX_LIST_BYTES);
  const encoder = new HpackEncoder(MAX_TABLE_BYTES);
  const block = encodeBlock(encoder, fields, () => 'incremental', 'shorter');
  assert.deepEqual(decodeBlock(createDecoder(), block), fields);
}

function checkTable({ table }: HpackDecoder): void {
  assert.equal(table.bytes, bytesOf(table.fields));
  assert(table.bytes <= MAX_TABLE_BYTES);
}

function bytesOf(fields: readonly HeaderField[]): number {
  return fields.reduce((sum, { name, value }) => sum + fieldBytes(name, value), 0);
}
