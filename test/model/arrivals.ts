import fc from 'fast-check';

/** In which order packets arrive: indices of operations, each lost, once, or twice. */
export type Arrivals = readonly number[];

/**
 * Every order in which each of some packets arrives twice. These are the longest histories, and the
 * only ones that have to be run: every other history, in which packets are lost or arrive once, is
 * how one of these begins, and all is checked after every arrival.
 */
export function* longestHistories(packets: number): Generator<Arrivals> {
  const left = Array.from({ length: packets }, () => 2);
  const order: number[] = [];
  function* extend(): Generator<Arrivals> {
    if (order.length === 2 * packets) yield [...order];
    for (const [packet, times] of left.entries()) {
      if (times === 0) continue;
      left[packet] = times - 1;
      order.push(packet);
      yield* extend();
      order.pop();
      left[packet] = times;
    }
  }
  yield* extend();
}

/** So many of the longest histories, drawn by a seed; all of them when there are no more. */
export function drawHistories(packets: number, most: number, seed: number): readonly Arrivals[] {
  const all = [...longestHistories(packets)];
  if (all.length <= most) return all;
  const options = { minLength: most, maxLength: most };
  return fc.sample(fc.shuffledSubarray(all, options), { seed, numRuns: 1 }).flat();
}

/** Counts the different histories that some runs went through, the longest and their beginnings. */
export class HistoryCount {
  readonly #seen = new Set<string>();
  readonly #last: number;
  #withLast = 0;

  constructor(packets: number) {
    this.#last = packets - 1;
  }

  /** True for a history that was not seen before. */
  add(arrived: Arrivals): boolean {
    const name = arrived.join('');
    if (this.#seen.has(name)) return false;
    this.#seen.add(name);
    if (arrived.includes(this.#last)) this.#withLast += 1;
    return true;
  }

  /** All of them, without the empty one. */
  get all(): number {
    return this.#seen.size;
  }

  /** Those in which the last operation arrived at least once. */
  get withLast(): number {
    return this.#withLast;
  }
}
