// The part of DER (ITU-T X.690) that a certificate needs: enough to write one and to find an
// extension in one. Written by hand because every library that does it drags in a dozen others.

export interface DerNode {
  readonly tag: number;
  readonly content: Buffer;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
export const UTF8_STRING = 0x0c;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const SET = 0x31;
const CONSTRUCTED = 0x20;

/** Writes one element: tag, length in the shortest form, content. */
function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthOctets(content.length), content]);
}

function lengthOctets(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const octets = base256(length);
  return Buffer.from([0x80 | octets.length, ...octets]);
}

function base256(value: number): readonly number[] {
  const octets: number[] = [];
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) octets.unshift(rest % 256);
  return octets;
}

/** A SEQUENCE of elements that are encoded already. */
export function sequence(...contents: readonly Uint8Array[]): Buffer {
  return element(SEQUENCE, ...contents);
}

/** A SET; with more than one element the caller sees to their order (X.690 section 11.6). */
export function set(...contents: readonly Uint8Array[]): Buffer {
  return element(SET, ...contents);
}

/** An unsigned INTEGER; a leading zero keeps a high first bit from reading as a minus sign. */
export function integer(magnitude: Uint8Array): Buffer {
  const isHigh = ((magnitude[0] ?? 0) & 0x80) !== 0;
  return isHigh ? element(INTEGER, Buffer.from([0]), magnitude) : element(INTEGER, magnitude);
}

/** A BOOLEAN; DER knows a single way to write true. */
export function boolean(value: boolean): Buffer {
  return Buffer.from([0x01, 0x01, value ? 0xff : 0x00]);
}

/** A BIT STRING without unused bits, unless `unusedBits` says otherwise (named bit lists). */
export function bitString(content: Uint8Array, unusedBits = 0): Buffer {
  return element(BIT_STRING, Buffer.from([unusedBits]), content);
}

/** An OCTET STRING, in extensions most often around another element. */
export function octetString(...contents: readonly Uint8Array[]): Buffer {
  return element(OCTET_STRING, ...contents);
}

/** A UTF8String, the form that RFC 5280 section 4.1.2.4 wants for names. */
export function utf8String(text: string): Buffer {
  return element(UTF8_STRING, Buffer.from(text, 'utf8'));
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...rest].flatMap(base128);
  return element(OBJECT_IDENTIFIER, Buffer.from(octets));
}

function base128(value: number): readonly number[] {
  const octets = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    octets.unshift(0x80 | (rest % 128));
  }
  return octets;
}

/** A Time as RFC 5280 section 4.1.2.5 wants it: UTCTime through 2049, GeneralizedTime after. */
export function time(atMs: number): Buffer {
  const text = new Date(atMs).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return text < '2050'
    ? element(UTC_TIME, Buffer.from(text.slice(2)))
    : element(GENERALIZED_TIME, Buffer.from(text));
}

/** A context-specific tag: constructed around other elements, or primitive around raw bytes. */
export function context(number: number, content: Uint8Array, form: 'constructed' | 'primitive') {
  return element(0x80 | (form === 'constructed' ? CONSTRUCTED : 0) | number, content);
}

/** Splits a run of elements; a truncated or oversized element ends the list. */
export function readElements(bytes: Buffer): readonly DerNode[] {
  const nodes: DerNode[] = [];
  let offset = 0;
  while (offset + 2 <= bytes.length) {
    const tag = bytes[offset] ?? 0;
    const first = bytes[offset + 1] ?? 0;
    const octets = first < 0x80 ? 0 : first & 0x7f;
    const start = offset + 2 + octets;
    if (octets > 4 || start > bytes.length) break;
    const length = octets === 0 ? first : bytes.readUIntBE(offset + 2, octets);
    if (start + length > bytes.length) break;
    nodes.push({ tag, content: bytes.subarray(start, start + length) });
    offset = start + length;
  }
  return nodes;
}

/** Every element in `bytes`, at any depth, outermost first. Only constructed tags are entered. */
function* descendants(bytes: Buffer): Generator<DerNode> {
  for (const node of readElements(bytes)) {
    yield node;
    if ((node.tag & CONSTRUCTED) !== 0) yield* descendants(node.content);
  }
}

/**
 * The content of a certificate's extension, without its OCTET STRING wrapper; null when the
 * certificate does not have it.
 */
export function findExtension(certificate: Buffer, dotted: string): Buffer | null {
  const wanted = objectIdentifier(dotted).subarray(2);
  for (const node of descendants(certificate)) {
    if (node.tag !== SEQUENCE) continue;
    const children = readElements(node.content);
    const [identifier] = children;
    const value = children.at(-1);
    if (identifier?.tag !== OBJECT_IDENTIFIER || value?.tag !== OCTET_STRING) continue;
    if (identifier.content.equals(wanted)) return value.content;
  }
  return null;
}
