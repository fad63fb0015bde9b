import assert from 'node:assert/strict';

/**
 * A message of the D-Bus protocol, as far as notifications need it:
 * https://dbus.freedesktop.org/doc/dbus-specification.html#message-protocol
 */
export interface BusMessage {
  readonly kind: 'call' | 'return' | 'error' | 'signal';
  readonly serial: number;
  readonly fields: BusFields;
  readonly body: BusBody;
}

export interface BusFields {
  readonly path?: string;
  readonly interface?: string;
  readonly member?: string;
  readonly errorName?: string;
  readonly replySerial?: number;
  readonly destination?: string;
  readonly sender?: string;
}

/** What to write: a signature of `s`, `u`, `b` and `as`, and the values in its order. */
export interface BusBody {
  readonly signature: string;
  readonly values: readonly BusValue[];
}

export type BusValue = string | number | boolean | readonly string[];

/** In the order of their numbers in the protocol; the last one is not used here. */
const KINDS = ['call', 'return', 'error', 'signal'] as const;
/** By number in the protocol, with the type of each. */
const FIELDS = {
  1: ['path', 'o'],
  2: ['interface', 's'],
  3: ['member', 's'],
  4: ['errorName', 's'],
  5: ['replySerial', 'u'],
  6: ['destination', 's'],
  7: ['sender', 's'],
} as const;
const SIGNATURE_FIELD = 8;
const FIXED_HEADER_BYTES = 16;
const LITTLE_ENDIAN = 0x6c;
const VERSION = 1;

/** The first message in these bytes and how many it takes; null where it is not all there yet. */
export function readBusMessage(
  bytes: Buffer,
): { readonly message: BusMessage; readonly size: number } | null {
  if (bytes.length < FIXED_HEADER_BYTES) return null;
  assert.equal(bytes[0], LITTLE_ENDIAN, 'Only little-endian machines are expected here.');
  const bodySize = bytes.readUInt32LE(4);
  const bodyStart = aligned(FIXED_HEADER_BYTES + bytes.readUInt32LE(12), 8);
  const size = bodyStart + bodySize;
  if (bytes.length < size) return null;
  const { fields, signature } = readFields(new BusReader(bytes.subarray(0, bodyStart), 12));
  const body = { signature, values: readBody(bytes.subarray(bodyStart, size), signature) };
  const kind = KINDS[(bytes[1] ?? 0) - 1];
  assert(kind !== undefined);
  return { message: { kind, serial: bytes.readUInt32LE(8), fields, body }, size };
}

export function writeBusMessage({ kind, serial, fields, body }: BusMessage): Buffer {
  const header = new BusWriter();
  for (const [code, [name, type]] of Object.entries(FIELDS)) {
    const value = fields[name];
    if (value !== undefined) header.align(8).byte(Number(code)).signature(type).value(type, value);
  }
  if (body.signature !== '') {
    header.align(8).byte(SIGNATURE_FIELD).signature('g').signature(body.signature);
  }
  const content = new BusWriter();
  for (const [index, type] of typesIn(body.signature).entries()) {
    const value = body.values[index];
    assert(value !== undefined, 'There is a value for each type.');
    content.value(type, value);
  }
  const start = Buffer.alloc(FIXED_HEADER_BYTES);
  start.set([LITTLE_ENDIAN, KINDS.indexOf(kind) + 1, 0, VERSION]);
  start.writeUInt32LE(content.size, 4);
  start.writeUInt32LE(serial, 8);
  start.writeUInt32LE(header.size, 12);
  return Buffer.concat([start, header.align(8).bytes(), content.bytes()]);
}

function readFields(reader: BusReader): { fields: BusFields; signature: string } {
  const fields: Record<string, string | number> = {};
  let signature = '';
  const end = FIXED_HEADER_BYTES + reader.uint32();
  while (reader.align(8).position < end) {
    const code = reader.byte();
    const type = reader.signature();
    const value = type === 'g' ? reader.signature() : reader.value(type);
    if (code === SIGNATURE_FIELD) signature = String(value);
    const name = FIELDS[code as keyof typeof FIELDS]?.[0];
    if (name !== undefined) fields[name] = typeof value === 'number' ? value : String(value);
  }
  return { fields, signature };
}

/** The values up to the first of a type that nobody here looks at. */
function readBody(bytes: Buffer, signature: string): readonly BusValue[] {
  const reader = new BusReader(bytes, 0);
  const types = typesIn(signature);
  const unknown = types.findIndex((type) => !['s', 'o', 'u', 'i', 'b', 'as'].includes(type));
  return types.slice(0, unknown < 0 ? undefined : unknown).map((type) => reader.value(type));
}

function typesIn(signature: string): readonly string[] {
  return signature.match(/as|a\{[^}]*\}|./g) ?? [];
}

function aligned(position: number, to: number): number {
  return Math.ceil(position / to) * to;
}

/** Reads values, each at the place that its type asks for. */
class BusReader {
  readonly #bytes: Buffer;
  position: number;

  constructor(bytes: Buffer, position: number) {
    this.#bytes = bytes;
    this.position = position;
  }

  align(to: number): this {
    this.position = aligned(this.position, to);
    return this;
  }

  byte(): number {
    this.position += 1;
    return this.#bytes.readUInt8(this.position - 1);
  }

  uint32(): number {
    this.align(4).position += 4;
    return this.#bytes.readUInt32LE(this.position - 4);
  }

  signature(): string {
    return this.#text(this.byte());
  }

  value(type: string): BusValue {
    if (type === 's' || type === 'o') return this.#text(this.uint32());
    if (type === 'b') return this.uint32() === 1;
    if (type !== 'as') return this.uint32();
    const end = this.uint32() + this.align(4).position;
    const texts: string[] = [];
    while (this.position < end) texts.push(this.#text(this.uint32()));
    return texts;
  }

  /** A text ends with a zero byte that its length leaves out. */
  #text(length: number): string {
    const start = this.position;
    this.position += length + 1;
    return this.#bytes.toString('utf8', start, start + length);
  }
}

/** Writes values, each at the place that its type asks for. */
class BusWriter {
  readonly #parts: Buffer[] = [];
  size = 0;

  align(to: number): this {
    return this.#add(Buffer.alloc(aligned(this.size, to) - this.size));
  }

  byte(value: number): this {
    return this.#add(Buffer.from([value]));
  }

  uint32(value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return this.align(4).#add(bytes);
  }

  signature(text: string): this {
    return this.byte(text.length).#add(Buffer.from(`${text}\0`));
  }

  value(type: string, value: BusValue): this {
    if (typeof value === 'string') {
      return this.uint32(Buffer.byteLength(value)).#add(Buffer.from(`${value}\0`));
    }
    if (typeof value === 'number') return this.uint32(value);
    if (typeof value === 'boolean') return this.uint32(value ? 1 : 0);
    assert.equal(type, 'as');
    const texts = new BusWriter();
    for (const text of value) texts.value('s', text);
    return this.uint32(texts.size).#add(texts.bytes());
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #add(bytes: Buffer): this {
    this.#parts.push(bytes);
    this.size += bytes.length;
    return this;
  }
}
