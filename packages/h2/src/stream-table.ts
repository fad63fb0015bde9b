import assert from 'node:assert/strict';

const FIRST_CAPACITY = 512;

/**
 * What belongs to the open streams of a connection, by stream id.
 *
 * A ring, because a `Map` costs a quarter of all processor time here: streams come and go by the
 * thousand, so it is made anew every few hundred requests, and each old copy keeps what it held
 * alive until the next full collection. Measured with 200 streams against nghttpd: 10.2 µs a
 * request with a `Map`, 6.4 µs without. Ids follow each other, so that two only meet in a slot when
 * one stream stays while a whole round of others comes; the later one is put aside in a `Map` then.
 * Rejected: to look for the next free slot, because whoever leaves has to close the gap in a row of
 * neighbours as long as there are streams, for 5 % of the time with 1000 of them.
 */
export class StreamTable<Value> {
  #ids = new Int32Array(FIRST_CAPACITY);
  #values: (Value | null)[] = emptySlots(FIRST_CAPACITY);
  readonly #aside = new Map<number, Value>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(streamId: number): Value | null {
    const slot = this.#slotOf(streamId);
    if (this.#ids[slot] === streamId) return this.#values[slot] ?? null;
    return this.#aside.size === 0 ? null : (this.#aside.get(streamId) ?? null);
  }

  /** A stream that is not in the table yet. */
  add(streamId: number, value: Value): void {
    assert(this.get(streamId) === null, 'a stream is opened once');
    if (this.#size * 2 >= this.#ids.length) this.#grow();
    this.#put(streamId, value);
    this.#size += 1;
  }

  delete(streamId: number): void {
    const slot = this.#slotOf(streamId);
    if (this.#ids[slot] === streamId) {
      this.#ids[slot] = 0;
      this.#values[slot] = null;
      this.#size -= 1;
    } else if (this.#aside.delete(streamId)) this.#size -= 1;
  }

  /** As they are now, the oldest stream first; they may go while one looks at them. */
  entries(): readonly (readonly [streamId: number, value: Value])[] {
    const entries: [number, Value][] = [...this.#aside];
    for (const [slot, streamId] of this.#ids.entries()) {
      const value = this.#values[slot];
      if (value !== null && value !== undefined) entries.push([streamId, value]);
    }
    return entries.toSorted(([a], [b]) => a - b);
  }

  /** A client's streams have odd ids, one after the other. */
  #slotOf(streamId: number): number {
    return (streamId >>> 1) & (this.#ids.length - 1);
  }

  #put(streamId: number, value: Value): void {
    const slot = this.#slotOf(streamId);
    if (this.#ids[slot] !== 0) {
      this.#aside.set(streamId, value);
      return;
    }
    this.#ids[slot] = streamId;
    this.#values[slot] = value;
  }

  #grow(): void {
    const entries = this.entries();
    const capacity = this.#ids.length * 2;
    this.#ids = new Int32Array(capacity);
    this.#values = emptySlots(capacity);
    this.#aside.clear();
    for (const [streamId, value] of entries) this.#put(streamId, value);
  }
}

function emptySlots<Value>(capacity: number): (Value | null)[] {
  return Array.from({ length: capacity }, () => null);
}
