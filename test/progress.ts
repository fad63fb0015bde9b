const PERIOD_MS = 10_000;

/** A callback that prints how far a long run is, at most every ten seconds. */
export function createProgress(title: string, total: number): (done: number) => void {
  let printedAt = performance.now();
  return (done) => {
    if (performance.now() - printedAt < PERIOD_MS) return;
    printedAt = performance.now();
    console.log(`${title}: ${done} of ${total}`);
  };
}
