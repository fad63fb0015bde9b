import assert from 'node:assert/strict';
import { fieldBytes, type HeaderField } from './header-field.ts';

/** What both sides assume until SETTINGS_HEADER_TABLE_SIZE says otherwise (RFC 9113 6.5.2). */
export const DEFAULT_TABLE_BYTES = 4096;

/** A power of two, as positions in the ring are masked and not divided. */
const FIRST_SLOTS = 16;

/** A copy, for tests and for whoever looks into a connection. */
export interface TableContents {
  /** Newest first. */
  readonly fields: readonly HeaderField[];
  /** The sum of the fields' sizes. */
  readonly bytes: number;
}

/**
 * The fields that both sides of a connection remember, newest first (RFC 7541 section 2.3.2). It
 * evicts the oldest ones whenever their sizes come to more than its limit.
 */
export class DynamicTable {
  #slots: (HeaderField | undefined)[] = Array.from({ length: FIRST_SLOTS });
  /** The slot that the next field gets; the newest one is in the slot before it. */
  #next = 0;
  #count = 0;
  #bytes = 0;
  #limitBytes: number;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** The field that is so many places behind the newest one, which is at 0. */
  at(position: number): HeaderField | undefined {
    if (position >= this.#count) return undefined;
    return this.#slots[(this.#next - 1 - position) & (this.#slots.length - 1)];
  }

  contents(): TableContents {
    const fields = Array.from({ length: this.#count }, (_, position) => this.#fieldAt(position));
    return { fields, bytes: this.#bytes };
  }

  /**
   * Makes the field the newest one. One that is larger than the whole table leaves it empty, which
   * is no error (RFC 7541 section 4.4).
   */
  add(field: HeaderField): void {
    const bytes = fieldBytes(field.name, field.value);
    this.#evictDownTo(this.#limitBytes - bytes);
    if (bytes > this.#limitBytes) return;
    if (this.#count === this.#slots.length) this.#grow();
    this.#slots[this.#next] = field;
    this.#next = (this.#next + 1) & (this.#slots.length - 1);
    this.#count += 1;
    this.#bytes += bytes;
  }

  /** Returns how many fields were evicted. */
  resize(limitBytes: number): number {
    const before = this.#count;
    this.#limitBytes = limitBytes;
    this.#evictDownTo(limitBytes);
    return before - this.#count;
  }

  /**
   * The position of the newest field of this name and value; -1 when there is none. It is a linear
   * search: a table of 4096 bytes holds fewer than a hundred fields, and who encodes the same field
   * again and again keeps its bytes.
   */
  find(name: string, value: string): number {
    for (let position = 0; position < this.#count; position += 1) {
      const field = this.#fieldAt(position);
      if (field.name === name && field.value === value) return position;
    }
    return -1;
  }

  /** The position of the newest field of this name; -1 when there is none. */
  findName(name: string): number {
    for (let position = 0; position < this.#count; position += 1) {
      if (this.#fieldAt(position).name === name) return position;
    }
    return -1;
  }

  #fieldAt(position: number): HeaderField {
    const field = this.at(position);
    assert(field !== undefined, 'a position below the count has a field');
    return field;
  }

  #evictDownTo(bytes: number): void {
    while (this.#count > 0 && this.#bytes > bytes) {
      const { name, value } = this.#fieldAt(this.#count - 1);
      this.#bytes -= fieldBytes(name, value);
      this.#slots[(this.#next - this.#count) & (this.#slots.length - 1)] = undefined;
      this.#count -= 1;
    }
  }

  /** Only ever up to the limit divided by the 32 bytes that the smallest field costs. */
  #grow(): void {
    const oldestFirst = this.contents().fields.toReversed();
    this.#next = oldestFirst.length;
    const free: undefined[] = Array.from({ length: oldestFirst.length });
    this.#slots = [...oldestFirst, ...free];
  }
}
