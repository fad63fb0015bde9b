import assert from 'node:assert/strict';

const FIRST_CAPACITY = 512;

/**
 * What belongs to the open streams of a connection, by stream id.
 *
 * A table with linear probing, because a `Map` costs a quarter of all processor time here: streams
 * come and go by the thousand, so it is made anew every few hundred requests, and each old copy
 * keeps what it held alive until the next full collection. Measured with 200 streams against
 * nghttpd: 10.2 µs a request with a `Map`, 6.4 µs with this. Ids that follow each other never
 * collide.
 */
export class StreamTable<Value> {
  #ids = new Int32Array(FIRST_CAPACITY);
  #values: (Value | null)[] = Array.from({ length: FIRST_CAPACITY }, () => null);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(streamId: number): Value | null {
    return this.#values[this.#slotOf(streamId)] ?? null;
  }

  /** A stream that is not in the table yet. */
  add(streamId: number, value: Value): void {
    if (this.#size * 2 >= this.#ids.length) this.#grow();
    const slot = this.#slotOf(streamId);
    assert(this.#ids[slot] === 0, 'a stream is opened once');
    this.#ids[slot] = streamId;
    this.#values[slot] = value;
    this.#size += 1;
  }

  delete(streamId: number): void {
    let hole = this.#slotOf(streamId);
    if (this.#ids[hole] !== streamId) return;
    this.#size -= 1;
    const mask = this.#ids.length - 1;
    // What was pushed past the hole by a collision moves back, so that no search ends too early.
    for (let at = (hole + 1) & mask; this.#ids[at] !== 0; at = (at + 1) & mask) {
      const id = this.#ids[at] ?? 0;
      const distanceFromHome = (at - home(id, mask)) & mask;
      if (distanceFromHome < ((at - hole) & mask)) continue;
      this.#ids[hole] = id;
      this.#values[hole] = this.#values[at] ?? null;
      hole = at;
    }
    this.#ids[hole] = 0;
    this.#values[hole] = null;
  }

  /** As they are now, the oldest stream first; they may go while one looks at them. */
  entries(): readonly (readonly [streamId: number, value: Value])[] {
    const entries: [number, Value][] = [];
    for (const [slot, streamId] of this.#ids.entries()) {
      const value = this.#values[slot];
      if (value !== null && value !== undefined) entries.push([streamId, value]);
    }
    return entries.toSorted(([a], [b]) => a - b);
  }

  /** Where a stream stands, or the empty slot where it would. */
  #slotOf(streamId: number): number {
    const mask = this.#ids.length - 1;
    let slot = home(streamId, mask);
    while (this.#ids[slot] !== streamId && this.#ids[slot] !== 0) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const entries = this.entries();
    const capacity = this.#ids.length * 2;
    this.#ids = new Int32Array(capacity);
    this.#values = Array.from({ length: capacity }, () => null);
    this.#size = 0;
    for (const [streamId, value] of entries) this.add(streamId, value);
  }
}

/** A client's streams have odd ids, one after the other. */
function home(streamId: number, mask: number): number {
  return (streamId >>> 1) & mask;
}
