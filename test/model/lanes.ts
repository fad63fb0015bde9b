/** Does something with each item, so many at a time, in the items' order. */
export async function inLanes<T>(
  lanes: number,
  items: readonly T[],
  action: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const work = async (): Promise<void> => {
    for (const item of queue) await action(item);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, items.length) }, work));
}
