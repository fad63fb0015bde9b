import { Shelf } from './shelf.ts';
import type { Arrival, ShelfView } from './shelf.ts';

export interface DeviceBookOptions {
  /** Brings a token to the one form in which it is compared. */
  readonly normalize: (token: string) => string;
  /** How many pushes the provider stores for one absent device. */
  readonly maxStored: number;
  readonly clock: () => number;
}

// The book remembers what the most recent so many devices show; states are never forgotten.
const MAX_SHELVES = 10_000;

/** What a simulator knows about devices: the state of each token, and what the device shows. */
export class DeviceBook<State> {
  readonly #options: DeviceBookOptions;
  readonly #states = new Map<string, State>();
  readonly #shelves = new Map<string, Shelf>();

  constructor(options: DeviceBookOptions) {
    this.#options = options;
  }

  set(token: string, state: State): void {
    this.#states.set(this.#options.normalize(token), state);
  }

  /** Null for a token that was never made known. */
  get(token: string): State | null {
    return this.#states.get(this.#options.normalize(token)) ?? null;
  }

  /** Forgets the state and the notifications. */
  delete(token: string): void {
    const key = this.#options.normalize(token);
    this.#states.delete(key);
    this.#shelves.delete(key);
  }

  /** While a device is offline its pushes are stored, or dropped if they ask for that. */
  setOnline(token: string, online: boolean): void {
    const shelf = this.#shelf(token);
    if (online) shelf.goOnline(this.#options.clock());
    else shelf.goOffline();
  }

  /** Called by the simulator for an accepted push. */
  receive(token: string, arrival: Arrival): void {
    this.#shelf(token).receive(arrival);
  }

  /** The device says that it has this stored push, and shows it from now on. */
  collect(token: string, id: string): void {
    this.#shelves.get(this.#options.normalize(token))?.collect(id);
  }

  /** Takes a stored push back before the device has it; false when it is too late. */
  withdraw(token: string, id: string): boolean {
    return this.#shelves.get(this.#options.normalize(token))?.withdraw(id) ?? false;
  }

  /** What the device shows and what is stored for it now. */
  view(token: string): ShelfView {
    const shelf = this.#shelves.get(this.#options.normalize(token));
    return shelf?.view(this.#options.clock()) ?? { online: true, shown: [], stored: [] };
  }

  #shelf(token: string): Shelf {
    const key = this.#options.normalize(token);
    const known = this.#shelves.get(key);
    if (known !== undefined) return known;
    const created = new Shelf(this.#options.maxStored);
    this.#shelves.set(key, created);
    if (this.#shelves.size > MAX_SHELVES) this.#evictOldest();
    return created;
  }

  /** An offline device moves to the end instead: losing its store would falsify the picture. */
  #evictOldest(): void {
    const [oldest] = this.#shelves;
    if (oldest === undefined) return;
    const [key, shelf] = oldest;
    this.#shelves.delete(key);
    if (!shelf.isOnline) this.#shelves.set(key, shelf);
  }
}
