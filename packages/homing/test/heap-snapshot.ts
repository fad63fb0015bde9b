import assert from 'node:assert/strict';
import { readdir, readFile, watch } from 'node:fs/promises';
import { join } from 'node:path';
import type { HomingProcess } from './homing-process.ts';

/** Only bounds a failure: a snapshot takes a few seconds. */
const DEADLINE_MS = 60_000;

/**
 * What a process writes a heap snapshot with when it gets SIGUSR2. Strings are written whole: what
 * stands behind their first kilobyte would not be looked at otherwise.
 */
export function snapshotOptions(directory: string): readonly string[] {
  return [
    '--heapsnapshot-signal=SIGUSR2',
    `--diagnostic-dir=${directory}`,
    '--heap-snapshot-string-limit=1000000',
  ];
}

/** Everything that is reachable in the heap of a process that was started with those options. */
export async function takeHeapSnapshot(homing: HomingProcess, directory: string): Promise<Buffer> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const changes = watch(directory, { signal });
  homing.signal('SIGUSR2');
  for await (const _ of changes) {
    const [file] = await readdir(directory);
    if (file === undefined) continue;
    const snapshot = await readFile(join(directory, file));
    // Its last word: what comes before is written by then.
    if (snapshot.subarray(-20).toString().trimEnd().endsWith('}')) return snapshot;
  }
  return assert.fail('the process wrote no snapshot');
}
