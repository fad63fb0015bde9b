import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Round } from '../round.ts';
import { Meter } from '../meter.ts';
import type { Tool } from '../tool.ts';

export const OPENSSL: Tool = {
  command: 'openssl',
  versionArgs: ['version'],
  packageName: 'openssl',
};

const run = promisify(execFile);

/** ECDH on the curve of Web Push, as often as one process can within so many seconds. */
export async function opensslRound(seconds: number, signal: AbortSignal): Promise<Round> {
  const meter = new Meter({ pids: {}, ended: 'openssl', peakOf: null });
  const args = ['speed', '-mr', '-seconds', String(seconds), 'ecdhp256'];
  const { stdout } = await run('openssl', args, { signal });
  // `+F5:<number>:<bits>:<operations per second>:<seconds for one>`
  const rate = Number(/^\+F5:\d+:256:([\d.]+):/m.exec(stdout)?.[1]);
  assert(rate > 0, stdout);
  return meter.round(Math.round(rate * seconds), seconds);
}
