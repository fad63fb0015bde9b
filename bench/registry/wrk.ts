import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Tool } from '../tool.ts';
import type { Load } from './load.ts';

export const WRK: Tool = { command: 'wrk', versionArgs: ['--version'], packageName: 'wrk' };

/** Each thread of the load has a file of requests and installations of its own. */
export const WRK_THREADS = 2;

export interface WrkRun {
  /** Answered, each with 2xx. */
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How many of its requests each thread has taken, in the order of its file. */
  readonly consumed: readonly number[];
}

/** What `done` in `wrk.lua` writes. */
interface Report {
  readonly requests: number;
  readonly microseconds: number;
  readonly refused: number;
  readonly broken: number;
  readonly p50: number;
  readonly p99: number;
  readonly exhausted: boolean;
  readonly consumed: readonly number[];
}

const SCRIPT = fileURLToPath(new URL('wrk.lua', import.meta.url));

/**
 * Sends the requests of a folder for so many seconds. Throws when an answer was not 2xx, when a
 * connection broke, and when the requests did not last. With `record`, the answers are written to
 * `answers-0` and so on, one `STATUS BODY` per line.
 */
export async function runWrk(
  url: string,
  directory: string,
  load: Load,
  record: boolean,
): Promise<WrkRun> {
  const work = [`-t${WRK_THREADS}`, `-c${load.connections}`, `-d${load.seconds}s`];
  // A slow answer on a busy machine is slow and not lost.
  const args = [...work, '--timeout', '30s', '-s', SCRIPT, url, '--', directory];
  const { stdout } = await promisify(execFile)('wrk', record ? [...args, 'record'] : args, {
    signal: load.interruption,
  });
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`wrk reported nothing:\n${stdout}`);
  const report = JSON.parse(line) as Report;
  if (report.requests === 0 || report.refused > 0 || report.broken > 0 || report.exhausted) {
    throw new Error(`the load was not served as it has to be: ${line}`);
  }
  return {
    requests: report.requests,
    seconds: report.microseconds / 1e6,
    p50Ms: report.p50 / 1000,
    p99Ms: report.p99 / 1000,
    consumed: report.consumed,
  };
}
