import type { ByteCursor } from './byte-cursor.ts';
import { DEFAULT_TABLE_BYTES, DynamicTable, type TableContents } from './dynamic-table.ts';
import { fieldBytes, type HeaderField } from './header-field.ts';
import { HpackError } from './hpack-error.ts';
import { readInteger } from './integer.ts';
import { LiteralReader } from './literal-reader.ts';
import { STATIC_FIELDS } from './static-table.ts';

/** RFC 7541 section 4.2: the lowest size since the last block, and the final one. */
const MAX_SIZE_UPDATES = 2;

export interface HpackDecoderOptions {
  /** Our SETTINGS_HEADER_TABLE_SIZE, which holds from the first block on and does not change. */
  readonly maxTableBytes: number;
  /** The size of a header list (RFC 9113 section 6.5.2) above which its fields are dropped. */
  readonly maxListBytes: number;
}

export type HeaderList =
  | { readonly tooLarge: false; readonly fields: readonly HeaderField[] }
  | { readonly tooLarge: true };

/**
 * Decodes the header blocks of one direction of a connection, in the order in which they come.
 *
 * Once it has thrown an `HpackError`, its table may be another one than the peer's: the connection
 * must end, and the decoder with it.
 */
export class HpackDecoder {
  readonly #literals = new LiteralReader();
  readonly #table: DynamicTable;
  readonly #maxListBytes: number;
  readonly #maxTableBytes: number;

  constructor(options: HpackDecoderOptions) {
    this.#maxTableBytes = options.maxTableBytes;
    this.#maxListBytes = options.maxListBytes;
    // A peer starts with the default, and needs a size update to make use of more.
    this.#table = new DynamicTable(Math.min(options.maxTableBytes, DEFAULT_TABLE_BYTES));
  }

  /** What the peer may refer to by an index. */
  get table(): TableContents {
    return this.#table.contents();
  }

  /**
   * Decodes the whole block from `start` to `end`: the payloads of HEADERS and its CONTINUATION
   * frames, put together. Whether a name or value is allowed in HTTP/2 is not looked at, and a
   * field that no intermediary may index is like any other, as we are none. A list that is too
   * large is still read to its end, which keeps the table right. Throws `HpackError`.
   */
  decode(block: Buffer, start: number, end: number): HeaderList {
    const cursor = { bytes: block, at: start, end };
    this.#readSizeUpdates(cursor);
    const fields: HeaderField[] = [];
    let listBytes = 0;
    while (cursor.at < end) {
      const field = this.#readField(cursor);
      listBytes += fieldBytes(field.name, field.value);
      if (listBytes <= this.#maxListBytes) fields.push(field);
    }
    return listBytes > this.#maxListBytes ? { tooLarge: true } : { tooLarge: false, fields };
  }

  #readSizeUpdates(cursor: ByteCursor): void {
    for (let count = 0; isSizeUpdate(cursor); count += 1) {
      if (count === MAX_SIZE_UPDATES)
        throw new HpackError('A block begins with many size updates.');
      const bytes = readInteger(cursor, 5);
      if (bytes > this.#maxTableBytes) throw new HpackError('A size update is above the limit.');
      this.#table.resize(bytes);
    }
  }

  #readField(cursor: ByteCursor): HeaderField {
    const first = cursor.bytes[cursor.at] ?? 0;
    if (first >= 0x80) return this.#fieldAt(readInteger(cursor, 7));
    if (first >= 0x40) {
      const field = this.#readLiteral(cursor, 6);
      this.#table.add(field);
      return field;
    }
    if (first >= 0x20) throw new HpackError('A size update stands behind a field.');
    return this.#readLiteral(cursor, 4);
  }

  #readLiteral(cursor: ByteCursor, prefixBits: number): HeaderField {
    const index = readInteger(cursor, prefixBits);
    const name = index === 0 ? this.#literals.read(cursor) : this.#fieldAt(index).name;
    return { name, value: this.#literals.read(cursor) };
  }

  #fieldAt(index: number): HeaderField {
    const position = index - 1;
    const field =
      position < STATIC_FIELDS.length
        ? STATIC_FIELDS[position]
        : this.#table.at(position - STATIC_FIELDS.length);
    if (field === undefined) throw new HpackError(`No field has the index ${index}.`);
    return field;
  }
}

function isSizeUpdate({ bytes, at, end }: ByteCursor): boolean {
  return at < end && ((bytes[at] ?? 0) & 0xe0) === 0x20;
}
