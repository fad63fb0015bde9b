import type { Http2Request } from './exchange.ts';
import { HpackEncoder } from './hpack/encoder.ts';
import type { RequestShape } from './request-shape.ts';

/** The parts of a header block that are the same for every request of a shape. */
interface Plan {
  /** Of the encoder when the plan was made: indices may mean something else since. */
  readonly generation: number;
  /** `:method`, `:scheme` and `:authority`. */
  readonly pseudo: Buffer;
  readonly constants: Buffer;
  /** For each varying field its name, so that a length and a value can follow. */
  readonly names: readonly Buffer[];
}

/** Literal without indexing, with the name of a static entry (RFC 7541 section 6.2.2). */
const PATH_NAME = 0x04;
/** Static entry 28 in the same form: a prefix of 4 bits that are full, and the rest. */
const CONTENT_LENGTH_NAME = [0x0f, 28 - 15] as const;

/** Room for a length in HPACK's form of up to 2^31. */
const LENGTH_BYTES = 6;

const NOTHING = Buffer.alloc(0);

/**
 * Makes the header blocks of one connection.
 *
 * Constant fields enter the peer's table with the first request of a shape; from then on they are a
 * few bytes that are only copied. What differs is written as plain literals: `:path` without
 * indexing and `authorization` never indexed, as Apple advises ("Sending notification requests to
 * APNs"). No Huffman coding: it would save a quarter of the bytes on the wire and cost more time
 * than everything else here together.
 */
export class RequestEncoder {
  readonly #hpack: HpackEncoder;
  readonly #authority: string;
  readonly #plans = new WeakMap<RequestShape, Plan>();
  #authorization = '';
  #authorizationBytes: Buffer = Buffer.alloc(0);

  constructor(authority: string, tableBytes: number) {
    this.#authority = authority;
    this.#hpack = new HpackEncoder(tableBytes);
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE. */
  setTableLimit(bytes: number): void {
    this.#hpack.setTableLimit(bytes);
  }

  /** No header block of this request is longer than this. */
  bound({ shape, path, values }: Http2Request, authorization: string): number {
    const literals = 4 + shape.constants.length + values.length;
    let bytes = shape.listBytes + this.#authority.length + path.length + authorization.length + 160;
    for (const value of values) bytes += value.length;
    return bytes + literals * 2 * LENGTH_BYTES;
  }

  /** Writes the block; returns where it ends. `bound` says how much room there has to be. */
  encode(target: Buffer, at: number, request: Http2Request, authorization: string): number {
    const { shape, path, values, body } = request;
    let end = this.#hpack.begin(target, at);
    const plan = this.#planOf(shape);
    end = plan === null ? this.#writePseudo(target, end) : copy(target, end, plan.pseudo);
    target[end] = PATH_NAME;
    end = writeText(target, end + 1, path);
    end = copy(target, end, this.#authorizationLiteral(authorization));
    end =
      plan === null ? this.#writeConstants(target, end, shape) : copy(target, end, plan.constants);
    for (let index = 0; index < shape.varying.length; index += 1) {
      const value = values[index] ?? '';
      const name = plan?.names[index];
      if (name === undefined) {
        end = this.#hpack.field(target, end, shape.varying[index] ?? '', value, 'incremental');
      } else end = writeText(target, copy(target, end, name), value);
    }
    target[end] = CONTENT_LENGTH_NAME[0];
    target[end + 1] = CONTENT_LENGTH_NAME[1];
    return writeText(target, end + 2, String(body.length));
  }

  #writePseudo(target: Buffer, at: number): number {
    let end = this.#hpack.field(target, at, ':method', 'POST', 'incremental');
    end = this.#hpack.field(target, end, ':scheme', 'https', 'incremental');
    return this.#hpack.field(target, end, ':authority', this.#authority, 'incremental');
  }

  #writeConstants(target: Buffer, at: number, { constants }: RequestShape): number {
    let end = at;
    for (const [name, value] of constants) {
      end = this.#hpack.field(target, end, name, value, 'incremental');
    }
    return end;
  }

  /**
   * Null for the first request of a shape, and where its constants have pushed each other, or those
   * of other shapes, out of the peer's table: then everything is written field by field.
   */
  #planOf(shape: RequestShape): Plan | null {
    const { generation } = this.#hpack;
    const known = this.#plans.get(shape);
    if (known?.generation === generation) return known;
    if (!this.#holds(shape)) return null;
    const scratch = Buffer.allocUnsafe(shape.listBytes + this.#authority.length + 1_024);
    const pseudo = Buffer.from(scratch.subarray(0, this.#writePseudo(scratch, 0)));
    const constants = Buffer.from(scratch.subarray(0, this.#writeConstants(scratch, 0, shape)));
    const names = shape.varying.map((name) => {
      // A field without a value ends in its length, a zero.
      const end = this.#hpack.field(scratch, 0, name, '', 'without');
      return Buffer.from(scratch.subarray(0, end - 1));
    });
    const plan = { generation, pseudo, constants, names };
    this.#plans.set(shape, plan);
    return plan;
  }

  #holds(shape: RequestShape): boolean {
    return (
      this.#hpack.holds(':authority', this.#authority) &&
      shape.constants.every(([name, value]) => this.#hpack.holds(name, value)) &&
      shape.varying.every((name) => this.#hpack.holdsName(name))
    );
  }

  /** Nothing for none: a peer that knows its client by a certificate needs no such field. */
  #authorizationLiteral(authorization: string): Buffer {
    if (authorization === '') return NOTHING;
    if (authorization !== this.#authorization) {
      const target = Buffer.allocUnsafe(authorization.length + 64);
      const end = this.#hpack.field(target, 0, 'authorization', authorization, 'never');
      this.#authorizationBytes = target.subarray(0, end);
      this.#authorization = authorization;
    }
    return this.#authorizationBytes;
  }
}

/** Most pieces have a dozen bytes, for which a loop is faster than the call that `copy` makes. */
function copy(target: Buffer, at: number, bytes: Buffer): number {
  if (bytes.length > 32) return at + bytes.copy(target, at);
  for (let index = 0; index < bytes.length; index += 1) target[at + index] = bytes[index] ?? 0;
  return at + bytes.length;
}

/** A string literal without Huffman coding (RFC 7541 section 5.2). */
function writeText(target: Buffer, at: number, text: string): number {
  const { length } = text;
  let end = at;
  if (length < 127) {
    target[end] = length;
    end += 1;
  } else {
    target[end] = 127;
    end += 1;
    let rest = length - 127;
    for (; rest >= 128; rest = Math.floor(rest / 128)) {
      target[end] = 128 + (rest % 128);
      end += 1;
    }
    target[end] = rest;
    end += 1;
  }
  return end + target.write(text, end, 'latin1');
}
