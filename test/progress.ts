const LINE_PERIOD_MS = 10_000;
const BAR_PERIOD_MS = 100;
const BAR_WIDTH = 30;
const TO_LINE_START = '\r\u001B[K';

/** Told how much of a long run is done, and whoever counts violations tells them as well. */
export type Progress = (done: number, violations?: number) => void;

/**
 * Shows how far a long run is: on a terminal a bar, elsewhere a line every ten seconds at most. The
 * bar is complete with the last one of the total, or with the first violation.
 */
export function createProgress(title: string, total: number): Progress {
  const { isTTY } = process.stdout;
  const startedAtMs = performance.now();
  let printedAtMs = startedAtMs;
  return (done, violations) => {
    const nowMs = performance.now();
    const isLast = done >= total || (violations ?? 0) > 0;
    const isDue = nowMs - printedAtMs >= (isTTY ? BAR_PERIOD_MS : LINE_PERIOD_MS);
    if (!isDue && !(isTTY && isLast)) return;
    printedAtMs = nowMs;
    const rate = ((1000 * done) / Math.max(1, nowMs - startedAtMs)).toFixed(1);
    const found = violations === undefined ? '' : `, ${violations} violations`;
    const line = `${title}: ${done} of ${total}, ${rate}/s${found}`;
    if (!isTTY) console.log(line);
    else process.stdout.write(`${TO_LINE_START}${bar(done / total)} ${line}${isLast ? '\n' : ''}`);
  };
}

function bar(share: number): string {
  const filled = Math.min(BAR_WIDTH, Math.round(BAR_WIDTH * share));
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}]`;
}
