/** What the app asked its client for: this user alone, or nobody. */
export interface Wish {
  readonly userId: string | null;
}

/**
 * The model of who is signed in on a phone: whoever the app asked for last. While calls are under
 * way it can be the one as well as the other; the call that resolved counts for sure.
 */
export class Session {
  #wishes: readonly Wish[];
  readonly #watches = new Set<Set<string | null>>();

  /** Who can be signed in at the beginning; nobody, unless it is copied. */
  constructor(possible: readonly (string | null)[] = [null]) {
    this.#wishes = possible.map((userId) => ({ userId }));
  }

  /** Whom the app asked for last. */
  get wanted(): string | null {
    return this.#wishes.at(-1)?.userId ?? null;
  }

  /** Who can be signed in now; null for nobody. */
  get possible(): ReadonlySet<string | null> {
    return new Set(this.#wishes.map(({ userId }) => userId));
  }

  /** The app calls its client. */
  ask(userId: string | null): Wish {
    const wish = { userId };
    this.#wishes = [...this.#wishes, wish];
    for (const watch of this.#watches) watch.add(userId);
    return wish;
  }

  /** The call has resolved: it counts from now on, unless a later one has resolved before. */
  keep(wish: Wish): void {
    const index = this.#wishes.indexOf(wish);
    if (index > 0) this.#wishes = this.#wishes.slice(index);
  }

  /** The client may have signed them out by itself; it is to be asked. */
  doubt(): void {
    this.#wishes = [{ userId: null }, ...this.#wishes];
    for (const watch of this.#watches) watch.add(null);
  }

  /** The client said who is signed in while nothing was under way. */
  settle(userId: string | null): void {
    this.#wishes = [{ userId }];
  }

  /** Everybody who can be signed in at any moment from now until it is ended. */
  watch(): { readonly seen: ReadonlySet<string | null>; readonly end: () => void } {
    const seen = new Set(this.possible);
    this.#watches.add(seen);
    return { seen, end: () => void this.#watches.delete(seen) };
  }
}
