/** What stands in a line: taken up with others of its group, unless they touch the same. */
export interface LineItem {
  readonly group: number;
  /** What it touches. Of two items that share a name the later waits until the earlier is done. */
  readonly names: readonly string[];
  /** It had to wait for something beside the line, or was there itself. */
  readonly isDelayed: boolean;
}

/** What is left of a batch. */
export interface BatchRest<Item> {
  /** To be taken up again, before all others. */
  readonly again: readonly Item[];
  /** To be dealt with one by one beside the line, so that the others need not wait. */
  readonly aside: readonly Item[];
}

export interface LineOptions<Item> {
  /** So many groups have a batch under way at a time. */
  readonly groups: number;
  readonly batchSize: number;
  /** Deals with a batch. Never fails. */
  readonly run: (batch: readonly Item[]) => Promise<BatchRest<Item>>;
  /** So many items are dealt with beside the line at a time. */
  readonly besides: number;
  /** Deals with one of those; what it returns goes to their end. Never fails. */
  readonly runAside: (item: Item) => Promise<Item | null>;
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
  /** By group, like those that wait: a group with many of them takes no other's turn. */
  readonly #aside = new Map<number, Item[]>();
  #asideUnderWay = 0;
  /** What the items beside the line touch, by group: who comes later waits for them as well. */
  readonly #touched = new Map<number, Set<string>>();
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
    while (this.#asideUnderWay < this.#options.besides) {
      const item = this.#nextAside();
      if (item === undefined) break;
      void this.#serveAside(item);
    }
    for (const [group, waiting] of this.#waiting) {
      if (this.#underWay.size >= this.#options.groups) return;
      if (!this.#underWay.has(group)) void this.#serve(group, waiting);
    }
  }

  async #serve(group: number, waiting: readonly Item[]): Promise<void> {
    const touched = this.#touched.get(group) ?? new Set();
    const { batch, left } = divide(waiting, touched, this.#options.batchSize);
    const delayed = left.map((item) => (touches(item, touched) ? toDelayed(item) : item));
    if (batch.length === 0) {
      // Those that wait for what is beside the line are looked at again when that is done.
      this.#waiting.set(group, delayed);
      return;
    }
    this.#underWay.add(group);
    this.#waiting.delete(group);
    if (left.length > 0) this.#waiting.set(group, delayed);
    const { again, aside } = await this.#options.run(batch);
    this.#underWay.delete(group);
    const later = [...again, ...(this.#waiting.get(group) ?? [])];
    if (later.length > 0) this.#waiting.set(group, later);
    for (const item of aside) this.#setAside(item);
    this.#wake();
  }

  #setAside(setAside: Item): void {
    const item = toDelayed(setAside);
    const touched = this.#touched.get(item.group) ?? new Set();
    for (const name of item.names) touched.add(name);
    this.#touched.set(item.group, touched);
    const aside = this.#aside.get(item.group);
    if (aside === undefined) this.#aside.set(item.group, [item]);
    else aside.push(item);
  }

  #nextAside(): Item | undefined {
    for (const [group, aside] of this.#aside) {
      const item = aside.shift();
      this.#aside.delete(group);
      if (aside.length > 0) this.#aside.set(group, aside);
      return item;
    }
    return undefined;
  }

  async #serveAside(item: Item): Promise<void> {
    this.#asideUnderWay += 1;
    const rest = await this.#options.runAside(item);
    this.#asideUnderWay -= 1;
    this.#release(item);
    if (rest !== null) this.#setAside(rest);
    this.#wake();
  }

  #release({ group, names }: Item): void {
    const touched = this.#touched.get(group);
    for (const name of names) touched?.delete(name);
    if (touched?.size === 0) this.#touched.delete(group);
  }
}

/** The next batch in the order of arrival, and what has to wait for a later one. */
function divide<Item extends LineItem>(
  waiting: readonly Item[],
  touched: ReadonlySet<string>,
  batchSize: number,
): { readonly batch: readonly Item[]; readonly left: Item[] } {
  const batch: Item[] = [];
  const left: Item[] = [];
  const taken = new Set(touched);
  for (const item of waiting) {
    const isFree = batch.length < batchSize && item.names.every((name) => !taken.has(name));
    (isFree ? batch : left).push(item);
    // Also of those that wait: nobody who came later overtakes them.
    for (const name of item.names) taken.add(name);
  }
  return { batch, left };
}

function touches({ names }: LineItem, touched: ReadonlySet<string>): boolean {
  return names.some((name) => touched.has(name));
}

function toDelayed<Item extends LineItem>(item: Item): Item {
  return { ...item, isDelayed: true };
}
