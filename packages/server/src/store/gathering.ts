import assert from 'node:assert';

export interface GatheringOptions<Item, Result> {
  /**
   * Does it for one item or several at once; the results in their order. All or nothing. It waits
   * for nobody else, or not for long.
   */
  readonly together: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Does it for one item, however long that has to wait. */
  readonly alone: (item: Item) => Promise<Result>;
  /** Whether a round that failed so may have been done all the same: then nothing is repeated. */
  readonly isInDoubt: (error: unknown) => boolean;
  /** How many rounds are under way at once. */
  readonly atOnce: number;
  /** How many items one round takes. */
  readonly most: number;
}

interface Waiter<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Does together what many ask for at about the same time: what comes while others are under way
 * goes with all that came meanwhile. Nobody waits where nobody else is there, and the more come,
 * the less each costs.
 */
export class Gathering<Item, Result> {
  readonly #options: GatheringOptions<Item, Result>;
  readonly #line: Waiter<Item, Result>[] = [];
  #underWay = 0;

  constructor(options: GatheringOptions<Item, Result>) {
    this.#options = options;
  }

  ask(item: Item): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#line.push({ item, resolve, reject });
    this.#serve();
    return promise;
  }

  #serve(): void {
    const { atOnce, most } = this.#options;
    while (this.#underWay < atOnce && this.#line.length > 0) {
      this.#underWay += 1;
      void this.#answer(this.#line.splice(0, most));
    }
  }

  /**
   * What fails together is done one by one: none of them may take the others with it. Those that
   * take long then hold up no further round, which goes for one that came by itself as well.
   */
  async #answer(waiters: readonly Waiter<Item, Result>[]): Promise<void> {
    const isAnswered = await this.#answerTogether(waiters);
    this.#underWay -= 1;
    this.#serve();
    if (!isAnswered) await Promise.all(waiters.map((waiter) => this.#answerAlone(waiter)));
  }

  async #answerAlone({ item, resolve, reject }: Waiter<Item, Result>): Promise<void> {
    await this.#options.alone(item).then(resolve, reject);
  }

  /** False when each has to go alone. */
  async #answerTogether(waiters: readonly Waiter<Item, Result>[]): Promise<boolean> {
    try {
      const results = await this.#options.together(waiters.map(({ item }) => item));
      assert.equal(results.length, waiters.length, 'each item has a result');
      for (const [index, result] of results.entries()) waiters[index]?.resolve(result);
      return true;
    } catch (error) {
      if (!this.#options.isInDoubt(error)) return false;
      for (const { reject } of waiters) reject(error);
      return true;
    }
  }
}
