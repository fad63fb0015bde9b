/** Does a piece of work for each number below `count`, `width` at a time; results in order. */
export async function someAtOnce<R>(
  count: number,
  width: number,
  work: (index: number) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  const indices = Array.from({ length: count }, (_, index) => index).values();
  const worker = async (): Promise<void> => {
    for (const index of indices) results[index] = await work(index);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}
