import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HpackDecoder } from '../../src/hpack/decoder.ts';
import { HpackEncoder } from '../../src/hpack/encoder.ts';
import type { HeaderField } from '../../src/hpack/header-field.ts';
import { EXAMPLES } from './appendix-c.ts';
import { decodeBlock, encodeBlock, hex } from './block.ts';

describe('the examples of RFC 7541 Appendix C', () => {
  for (const { title, maxTableBytes, strings, blocks } of EXAMPLES) {
    test(`${title}: decoded to its fields, with the table as the RFC shows it`, () => {
      const decoder = new HpackDecoder({ maxTableBytes, maxListBytes: 4096 });
      for (const block of blocks) {
        assert.deepEqual(decodeBlock(decoder, hex(block.hex)).map(lineOf), block.fields);
        assert.deepEqual(decoder.table.fields.map(lineOf), block.table);
        assert.equal(decoder.table.bytes, block.tableBytes);
      }
    });

    test(`${title}: encoded to its bytes, with the table as the RFC shows it`, () => {
      const encoder = new HpackEncoder(maxTableBytes);
      // The examples begin when the size of the table has been agreed upon.
      encoder.begin(Buffer.alloc(16), 0);
      for (const block of blocks) {
        const bytes = encodeBlock(encoder, block.fields.map(fieldOf), () => block.mode, strings);
        assert.equal(bytes.toString('hex'), hex(block.hex).toString('hex'));
        assert.deepEqual(encoder.table.fields.map(lineOf), block.table);
        assert.equal(encoder.table.bytes, block.tableBytes);
      }
    });
  }
});

function lineOf({ name, value }: HeaderField): string {
  return `${name}: ${value}`;
}

function fieldOf(line: string): HeaderField {
  const end = line.indexOf(': ');
  return { name: line.slice(0, end), value: line.slice(end + 2) };
}
