/** A push that reached the provider, in the terms in which a device and its store treat it. */
export interface Arrival {
  readonly id: string;
  readonly atMs: number;
  /** The provider drops it from its store at this time; at or before `atMs` it never stores it. */
  readonly expiresAtMs: number;
  /** A stored push with the same key is displaced by this one; null displaces nothing. */
  readonly storageKey: string | null;
  /** A shown notification with the same key is replaced by this one; null replaces nothing. */
  readonly displayKey: string | null;
  readonly payload: unknown;
}

/** What a device shows, and what the provider keeps for it until it is back. */
export interface ShelfView {
  readonly online: boolean;
  readonly shown: readonly Arrival[];
  readonly stored: readonly Arrival[];
}

// Enough to look at; a device that gets thousands of pushes must not hold them all in memory.
const MAX_SHOWN = 50;

/** The notifications of one device: on its screen while it is online, in store while it is not. */
export class Shelf {
  readonly #maxStored: number;
  readonly #shown = new Map<string, Arrival>();
  readonly #stored = new Map<string, Arrival>();
  #online = true;

  constructor(maxStored: number) {
    this.#maxStored = maxStored;
  }

  get isOnline(): boolean {
    return this.#online;
  }

  receive(arrival: Arrival): void {
    if (this.#online) this.#show(arrival);
    else if (arrival.expiresAtMs > arrival.atMs) this.#store(arrival);
  }

  goOffline(): void {
    this.#online = false;
  }

  /** Shows, in order of arrival, what was stored and has not expired by `nowMs`. */
  goOnline(nowMs: number): void {
    this.#online = true;
    for (const arrival of this.#living(nowMs)) this.#show(arrival);
    this.#stored.clear();
  }

  /** The device itself says that it has a stored push and shows it; unknown ids mean nothing. */
  collect(id: string): void {
    const arrival = this.#take(id);
    if (arrival !== null) this.#show(arrival);
  }

  /** Takes a push out of the store unseen; false when it is not there any more. */
  withdraw(id: string): boolean {
    return this.#take(id) !== null;
  }

  view(nowMs: number): ShelfView {
    return {
      online: this.#online,
      shown: [...this.#shown.values()],
      stored: this.#living(nowMs),
    };
  }

  #take(id: string): Arrival | null {
    for (const [key, arrival] of this.#stored) {
      if (arrival.id !== id) continue;
      this.#stored.delete(key);
      return arrival;
    }
    return null;
  }

  #living(nowMs: number): readonly Arrival[] {
    return [...this.#stored.values()].filter((arrival) => arrival.expiresAtMs > nowMs);
  }

  #show(arrival: Arrival): void {
    putLast(this.#shown, arrival.displayKey, arrival, MAX_SHOWN);
  }

  #store(arrival: Arrival): void {
    putLast(this.#stored, arrival.storageKey, arrival, this.#maxStored);
  }
}

/** The insertion order of a Map is the order of arrival; over the bound the oldest goes. */
function putLast(
  arrivals: Map<string, Arrival>,
  sharedKey: string | null,
  arrival: Arrival,
  bound: number,
): void {
  const key = sharedKey === null ? `id ${arrival.id}` : `key ${sharedKey}`;
  arrivals.delete(key);
  arrivals.set(key, arrival);
  const [oldest] = arrivals.keys();
  if (arrivals.size > bound && oldest !== undefined) arrivals.delete(oldest);
}
