// The static Huffman code of RFC 7541 section 5.2.
//
// Decoding runs a state machine that takes a byte at a time. A state is an inner node of the code's
// tree: the bits that were read since the last whole symbol. As the shortest code has five bits, a
// byte completes two symbols at most, so that one 32-bit word holds a whole step:
//
//   bits  0-7   the state after the byte
//   bits  8-15  the first symbol that the byte completes
//   bits 16-23  the second one
//   bits 24-25  how many there are
//   bit  26     set when the byte completes EOS, which no string may contain
//
// Measured: 150 ns of CPU for a UUID, of which more than half makes the string. Half a byte at a
// time takes 16 KiB for its steps instead of 256 and a millisecond to build them instead of six,
// and costs 60 ns more for each UUID.
import { CODE_BITS, CODES, EOS } from './huffman-code.ts';
import { HpackError } from './hpack-error.ts';

const STATES = 256;
const ROOT = 0;
const FAILURE = 1 << 26;
/** What pads the last byte are the first bits of EOS, all ones, and fewer than eight. */
const MAX_PADDING_BITS = 7;
/** No code is shorter, so that a string has at most eight fifths of its encoded bytes. */
const MIN_CODE_BITS = 5;

/** Leaves are stored as the negative of their symbol and one more. */
const CHILDREN = plantTree();
const STEPS = buildSteps();
const ENDS = findEnds();

/** Strings up to its length are decoded without an allocation but their own. */
const SCRATCH = Buffer.allocUnsafeSlow(4096);

/**
 * Decodes a Huffman string into one character per byte (latin1). Throws `HpackError` when it
 * contains EOS, or when its padding is longer than seven bits or not all ones.
 */
export function decodeHuffman(source: Buffer, start: number, end: number): string {
  const maxLength = Math.ceil(((end - start) * 8) / MIN_CODE_BITS) + 1;
  const target = maxLength <= SCRATCH.length ? SCRATCH : Buffer.allocUnsafe(maxLength);
  let state = ROOT;
  let length = 0;
  let seen = 0;
  for (let at = start; at < end; at += 1) {
    const step = STEPS[(state << 8) | (source[at] ?? 0)] ?? 0;
    // Both symbols are written even where there are fewer: that is cheaper than to ask.
    target[length] = step >>> 8;
    target[length + 1] = step >>> 16;
    length += (step >>> 24) & 3;
    state = step & 0xff;
    seen |= step;
  }
  if ((seen & FAILURE) !== 0) throw new HpackError('A Huffman string contains EOS.');
  if (ENDS[state] === 0) throw new HpackError('A Huffman string is not padded as it must be.');
  return target.toString('latin1', 0, length);
}

function plantTree(): Int16Array {
  const children = new Int16Array(2 * STATES);
  let states = 1;
  for (const [symbol, bits] of CODE_BITS.entries()) {
    const code = CODES[symbol] ?? 0;
    let state = ROOT;
    for (let left = bits - 1; left > 0; left -= 1) {
      const branch = 2 * state + ((code >>> left) & 1);
      children[branch] ||= states++;
      state = children[branch] ?? ROOT;
    }
    children[2 * state + (code & 1)] = -1 - symbol;
  }
  return children;
}

function buildSteps(): Int32Array {
  const steps = new Int32Array(STATES << 8);
  for (let index = 0; index < steps.length; index += 1) {
    steps[index] = stepOf(index >>> 8, index & 0xff);
  }
  return steps;
}

function stepOf(from: number, byte: number): number {
  let state = from;
  let symbols = 0;
  let count = 0;
  for (let left = 7; left >= 0; left -= 1) {
    const child = CHILDREN[2 * state + ((byte >>> left) & 1)] ?? ROOT;
    state = Math.max(child, ROOT);
    if (child >= 0) continue;
    const symbol = -1 - child;
    if (symbol === EOS) return FAILURE;
    symbols |= symbol << (8 + 8 * count);
    count += 1;
  }
  return state | symbols | (count << 24);
}

/** One for each state in which a string may end: at the root, or a few ones below it. */
function findEnds(): Uint8Array {
  const ends = new Uint8Array(STATES);
  let state = ROOT;
  for (let bits = 0; bits <= MAX_PADDING_BITS; bits += 1) {
    ends[state] = 1;
    state = CHILDREN[2 * state + 1] ?? ROOT;
  }
  return ends;
}
