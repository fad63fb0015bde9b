interface Waiter<T> {
  readonly fits: (item: T) => boolean;
  readonly resolve: (item: T) => void;
}

const DEADLINE_MS = 30_000;

/** What comes in by itself and is asked for by a test, in whichever order the two happen. */
export class Inbox<T> {
  readonly #items: T[] = [];
  readonly #waiters: Waiter<T>[] = [];

  add(item: T): void {
    const index = this.#waiters.findIndex(({ fits }) => fits(item));
    if (index < 0) this.#items.push(item);
    else this.#waiters.splice(index, 1)[0]?.resolve(item);
  }

  /** The oldest that fits and is still here, or else the next; `what` names it if none comes. */
  async take(what: string, fits: (item: T) => boolean = () => true): Promise<T> {
    const index = this.#items.findIndex(fits);
    const [present] = index < 0 ? [] : this.#items.splice(index, 1);
    if (present !== undefined) return present;
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const waiter = { fits, resolve };
    this.#waiters.push(waiter);
    const deadline = setTimeout(() => {
      this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
      reject(new Error(`${what} did not come; what did: ${JSON.stringify(this.#items)}`));
    }, DEADLINE_MS);
    return promise.finally(() => clearTimeout(deadline));
  }
}
