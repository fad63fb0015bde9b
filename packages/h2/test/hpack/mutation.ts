import type { SeededRandom } from '../../../../test/seeded-random.ts';

const MAX_CHANGES = 4;
const MAX_RANGE_BYTES = 40;
/** The edges of prefixes, flags and lengths. */
const EDGES = [0x00, 0x01, 0x0f, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xbe, 0xfe, 0xff];

type Change = (bytes: Buffer, random: SeededRandom) => Buffer;

const CHANGES: readonly Change[] = [
  flipBit,
  putEdge,
  insertRandom,
  removeRange,
  repeatRange,
  truncate,
];

/** The bytes with up to four changes, in a buffer of their own. */
export function mutate(random: SeededRandom, bytes: Buffer): Buffer {
  let mutated: Buffer = Buffer.from(bytes);
  const changes = random.below(MAX_CHANGES + 1);
  for (let change = 0; change < changes; change += 1) {
    mutated = random.pick(CHANGES)(mutated, random);
  }
  return mutated;
}

export function randomBytes(random: SeededRandom, maxLength: number): Buffer {
  return Buffer.from(Array.from({ length: random.below(maxLength + 1) }, () => random.below(256)));
}

function flipBit(bytes: Buffer, random: SeededRandom): Buffer {
  const at = random.below(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  return bytes;
}

function putEdge(bytes: Buffer, random: SeededRandom): Buffer {
  bytes[random.below(bytes.length)] = random.pick(EDGES);
  return bytes;
}

function insertRandom(bytes: Buffer, random: SeededRandom): Buffer {
  const at = random.below(bytes.length + 1);
  const inserted = randomBytes(random, 8);
  return Buffer.concat([bytes.subarray(0, at), inserted, bytes.subarray(at)]);
}

function removeRange(bytes: Buffer, random: SeededRandom): Buffer {
  const { start, end } = randomRange(bytes, random);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
}

function repeatRange(bytes: Buffer, random: SeededRandom): Buffer {
  const { start, end } = randomRange(bytes, random);
  return Buffer.concat([bytes.subarray(0, end), bytes.subarray(start)]);
}

function truncate(bytes: Buffer, random: SeededRandom): Buffer {
  return bytes.subarray(0, random.below(bytes.length + 1));
}

function randomRange(
  bytes: Buffer,
  random: SeededRandom,
): { readonly start: number; readonly end: number } {
  const start = random.below(bytes.length + 1);
  return { start, end: Math.min(bytes.length, start + random.below(MAX_RANGE_BYTES)) };
}
