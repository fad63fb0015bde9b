// What peers do and our client does not, for which the bytes it saves are not worth the time.
import { CODE_BITS, CODES } from '../../src/hpack/huffman-code.ts';
import { readInteger, writeInteger } from '../../src/hpack/integer.ts';

/** `shorter`: by the Huffman code where that makes a string no longer. */
export type StringCoding = 'plain' | 'shorter';

/** How many bytes the string has when it is encoded. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let index = 0; index < text.length; index += 1) {
    bits += CODE_BITS[text.charCodeAt(index)] ?? 0;
  }
  return Math.ceil(bits / 8);
}

/** Writes the string, one byte per character, and returns the offset behind it. */
export function encodeHuffman(target: Buffer, at: number, text: string): number {
  let next = at;
  /** The byte that is being filled, and how many of its bits are free. */
  let byte = 0;
  let free = 8;
  for (let index = 0; index < text.length; index += 1) {
    const symbol = text.charCodeAt(index);
    const code = CODES[symbol] ?? 0;
    let bits = CODE_BITS[symbol] ?? 0;
    while (bits >= free) {
      bits -= free;
      target[next++] = byte | (code >>> bits);
      byte = 0;
      free = 8;
    }
    byte |= (code << (free - bits)) & 0xff;
    free -= bits;
  }
  if (free === 8) return next;
  target[next] = byte | ((1 << free) - 1);
  return next + 1;
}

/** The same block of plain strings with each of them `shorter`. */
export function withHuffman(block: Buffer): Buffer {
  const cursor = { bytes: block, at: 0, end: block.length };
  const parts: Buffer[] = [];
  while (cursor.at < cursor.end) {
    const start = cursor.at;
    const first = block.readUInt8(start);
    const index = readInteger(cursor, prefixBitsOf(first));
    parts.push(block.subarray(start, cursor.at));
    const isLiteral = first < 0x20 || (first >= 0x40 && first < 0x80);
    for (let left = isLiteral ? (index === 0 ? 2 : 1) : 0; left > 0; left -= 1) {
      const length = readInteger(cursor, 7);
      parts.push(shorter(block.toString('latin1', cursor.at, cursor.at + length)));
      cursor.at += length;
    }
  }
  return Buffer.concat(parts);
}

/** Of an indexed field, a literal with indexing, a size update, and the other literals. */
function prefixBitsOf(first: number): number {
  if (first >= 0x80) return 7;
  if (first >= 0x40) return 6;
  return first >= 0x20 ? 5 : 4;
}

function shorter(text: string): Buffer {
  const bytes = huffmanLength(text);
  const target = Buffer.alloc(text.length + 8);
  if (bytes <= text.length) {
    return target.subarray(0, encodeHuffman(target, writeInteger(target, 0, 0x80, 7, bytes), text));
  }
  const start = writeInteger(target, 0, 0, 7, text.length);
  return target.subarray(0, start + target.write(text, start, 'latin1'));
}
