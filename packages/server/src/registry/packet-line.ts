/** What stands in a line: taken up with others of its group, unless they touch the same. */
export interface LineItem {
  readonly group: number;
  /** What it touches. Of two items that share a name the later waits until the earlier is done. */
  readonly names: readonly string[];
}

export interface LineOptions<Item> {
  /** So many groups have a batch under way at a time. */
  readonly groups: number;
  readonly batchSize: number;
  /** Deals with a batch, returns what is to be taken up again, before all others. Never fails. */
  readonly run: (batch: readonly Item[]) => Promise<readonly Item[]>;
}

/**
 * A line that is served in batches, one at a time for each group: what comes while a batch is under
 * way makes up the next, so batches grow with the load by themselves. Nothing waits for one to
 * fill: it begins with whatever came in the same turn of the event loop.
 */
export class PacketLine<Item extends LineItem> {
  readonly #options: LineOptions<Item>;
  /** By group, the one that was served last at the end. */
  readonly #waiting = new Map<number, Item[]>();
  readonly #underWay = new Set<number>();
  #isWoken = false;

  constructor(options: LineOptions<Item>) {
    this.#options = options;
  }

  add(item: Item): void {
    const waiting = this.#waiting.get(item.group);
    if (waiting === undefined) this.#waiting.set(item.group, [item]);
    else waiting.push(item);
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
    for (const [group, waiting] of this.#waiting) {
      if (this.#underWay.size >= this.#options.groups) return;
      if (!this.#underWay.has(group)) void this.#serve(group, waiting);
    }
  }

  async #serve(group: number, waiting: readonly Item[]): Promise<void> {
    this.#underWay.add(group);
    this.#waiting.delete(group);
    const { batch, left } = divide(waiting, this.#options.batchSize);
    if (left.length > 0) this.#waiting.set(group, left);
    const again = await this.#options.run(batch);
    this.#underWay.delete(group);
    const later = [...again, ...(this.#waiting.get(group) ?? [])];
    if (later.length > 0) this.#waiting.set(group, later);
    this.#wake();
  }
}

/** The next batch in the order of arrival, and what has to wait for a later one. */
function divide<Item extends LineItem>(
  waiting: readonly Item[],
  batchSize: number,
): { readonly batch: readonly Item[]; readonly left: Item[] } {
  const batch: Item[] = [];
  const left: Item[] = [];
  const taken = new Set<string>();
  for (const item of waiting) {
    const isFree = batch.length < batchSize && item.names.every((name) => !taken.has(name));
    (isFree ? batch : left).push(item);
    // Also of those that wait: nobody who came later overtakes them.
    for (const name of item.names) taken.add(name);
  }
  return { batch, left };
}
