import assert from 'node:assert';
import { LIMITS } from '../domain/limits.ts';
import type { Lane as LaneName } from '../domain/notification.ts';

interface Waiter {
  readonly lane: LaneName;
  readonly want: number;
  readonly resolve: (places: number) => void;
}

/**
 * How many pushes of one credential are under way at once. Bulk may hold a share of the places,
 * so that something transactional always finds one, and goes first where both wait.
 */
export class Room {
  readonly #places: number;
  readonly #bulkPlaces: number;
  #taken: Record<LaneName, number> = { transactional: 0, bulk: 0 };
  #line: readonly Waiter[] = [];

  constructor(places: number) {
    this.#places = places;
    this.#bulkPlaces = Math.max(1, Math.floor(places * LIMITS.bulkShare));
  }

  /** At most `want` places; 0 when there were none, or too few for bulk, for `patienceMs`. */
  async take(lane: LaneName, want: number, patienceMs: number): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const waiter = { lane, want, resolve };
    this.#line = [...this.#line, waiter];
    this.#serve();
    const timer = setTimeout(() => this.#dismiss(waiter), patienceMs);
    const places = await promise;
    clearTimeout(timer);
    return places;
  }

  release(lane: LaneName, places: number): void {
    this.#taken[lane] -= places;
    assert(this.#taken[lane] >= 0, 'what is released was taken');
    this.#serve();
  }

  #serve(): void {
    for (const lane of ['transactional', 'bulk'] as const) {
      for (const waiter of this.#line.filter((one) => one.lane === lane)) {
        const places = Math.min(waiter.want, this.#free(lane));
        if (places < Math.min(waiter.want, leastPlaces(lane, this.#bulkPlaces))) break;
        this.#taken[lane] += places;
        this.#leave(waiter, places);
      }
    }
  }

  #free(lane: LaneName): number {
    const { transactional, bulk } = this.#taken;
    const free = this.#places - transactional - bulk;
    return lane === 'bulk' ? Math.min(free, this.#bulkPlaces - bulk) : free;
  }

  #dismiss(waiter: Waiter): void {
    if (this.#line.includes(waiter)) this.#leave(waiter, 0);
  }

  #leave(waiter: Waiter, places: number): void {
    this.#line = this.#line.filter((other) => other !== waiter);
    waiter.resolve(places);
  }
}

function leastPlaces(lane: LaneName, bulkPlaces: number): number {
  return lane === 'bulk' ? Math.min(LIMITS.bulkRoom, bulkPlaces) : 1;
}
