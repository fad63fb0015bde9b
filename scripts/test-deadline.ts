// Loaded into the process of every test file, before the file. A process that is still there at its
// deadline says what keeps it alive and ends, so that a leaked handle fails instead of hanging.
import { writeSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

/** Tells the runner that this process ended itself at its deadline. */
export const DEADLINE_EXIT_CODE = 124;

const deadlineMs = Number(process.env['HOMING_TEST_DEADLINE_MS'] ?? Number.NaN);

if (isMainThread && deadlineMs > 0) {
  // Unreferenced: the deadline itself must not be what keeps the process alive.
  setTimeout(giveUp, deadlineMs).unref();
}

function giveUp(): void {
  const open = process.getActiveResourcesInfo();
  const kinds = [...new Set(open)].map((kind) => `${kind} x${count(open, kind)}`);
  const list = kinds.length === 0 ? 'no handle; a promise that never settles' : kinds.join(', ');
  // Written at once: output through the stream could be lost by the exit.
  writeSync(2, `\nStill running after ${deadlineMs / 1000} s. Open: ${list}\n`);
  // An exit and not a kill, so that resources with an exit listener are released.
  process.exit(DEADLINE_EXIT_CODE);
}

function count(kinds: readonly string[], kind: string): number {
  return kinds.filter((other) => other === kind).length;
}
