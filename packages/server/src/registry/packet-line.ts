/** What stands in a line: taken up together with others, unless they touch the same. */
export interface LineItem {
  /** Only what belongs to one group is taken up together. */
  readonly group: number;
  /** What it touches. Of two items that share a name the later waits until the earlier is done. */
  readonly names: readonly string[];
}

export interface LineOptions<Item> {
  /** So many batches are under way at a time; what comes meanwhile makes up the next. */
  readonly batches: number;
  readonly batchSize: number;
  /** Deals with a batch, returns what is to be taken up again, before all others. Never fails. */
  readonly run: (batch: readonly Item[]) => Promise<readonly Item[]>;
}

/**
 * A line that is served in batches. Nothing waits for one to fill: it begins with whatever came in
 * the same turn of the event loop, and grows by itself while others are under way.
 */
export class PacketLine<Item extends LineItem> {
  readonly #options: LineOptions<Item>;
  readonly #namesUnderWay = new Set<string>();
  #waiting: Item[] = [];
  #underWay = 0;
  #isWoken = false;

  constructor(options: LineOptions<Item>) {
    this.#options = options;
  }

  add(item: Item): void {
    this.#waiting.push(item);
    this.#wake();
  }

  #wake(): void {
    if (this.#isWoken) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      this.#begin();
    });
  }

  #begin(): void {
    while (this.#underWay < this.#options.batches) {
      const batch = this.#take();
      if (batch.length === 0) return;
      void this.#serve(batch);
    }
  }

  /** The next batch, in the order of arrival; empty when all that waits has to wait. */
  #take(): readonly Item[] {
    const batch: Item[] = [];
    const left: Item[] = [];
    const taken = new Set(this.#namesUnderWay);
    for (const item of this.#waiting) {
      const fits =
        batch.length < this.#options.batchSize && item.group === (batch[0] ?? item).group;
      const isFree = fits && item.names.every((name) => !taken.has(name));
      (isFree ? batch : left).push(item);
      // Also of those that wait: nobody who came later overtakes them.
      for (const name of item.names) taken.add(name);
    }
    this.#waiting = left;
    return batch;
  }

  async #serve(batch: readonly Item[]): Promise<void> {
    this.#underWay += 1;
    const names = batch.flatMap((item) => item.names);
    for (const name of names) this.#namesUnderWay.add(name);
    const again = await this.#options.run(batch);
    for (const name of names) this.#namesUnderWay.delete(name);
    this.#underWay -= 1;
    this.#waiting.unshift(...again);
    this.#wake();
  }
}
