import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { NeutralServer } from '../neutral/neutral-server.ts';
import type { Tool } from '../tool.ts';
import { WIRE_AUTHORIZATION, WIRE_BODY, wireHeaders, wirePush } from './wire-push.ts';

export const H2LOAD: Tool = {
  command: 'h2load',
  versionArgs: ['--version'],
  packageName: 'nghttp2-client',
};

export interface H2loadTarget {
  readonly server: NeutralServer;
  readonly path: string;
  readonly streams: number;
  readonly interruption: AbortSignal;
}

/** It keeps the whole header of each in memory, and begins again with the first. */
const PATHS = 10_000;

/**
 * h2load, written in C, on one connection. It numbers the paths only; ids are the same in all its
 * requests, and so cheaper than ours.
 */
export class H2load {
  readonly #target: H2loadTarget;
  readonly #args: readonly string[];

  private constructor(target: H2loadTarget, args: readonly string[]) {
    this.#target = target;
    this.#args = args;
  }

  /** Writes what it sends to files in the temporary directory. */
  static async prepare(target: H2loadTarget): Promise<H2load> {
    const { server, path, streams } = target;
    const directory = await mkdtemp(join(tmpdir(), 'h2load-'));
    const [body, paths] = [join(directory, 'body'), join(directory, 'paths')];
    const urls = Array.from(
      { length: PATHS },
      (_, number) => `${server.url}${path}${wirePush(number).token}\n`,
    );
    await writeFile(body, WIRE_BODY);
    await writeFile(paths, urls.join(''));
    const fields = { authorization: WIRE_AUTHORIZATION, ...wireHeaders(wirePush(0)) };
    const headers = Object.entries(fields).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const work = ['-c', '1', '-t', '1', '-m', String(streams)];
    return new H2load(target, [...work, ...headers, '-d', body, '-i', paths]);
  }

  /** Sends so many and returns the seconds that it took; throws when one was not taken. */
  async run(count: number): Promise<number> {
    const args = ['-n', String(count), ...this.#args];
    const options = { signal: this.#target.interruption };
    const { stdout } = await promisify(execFile)('h2load', args, options);
    const taken = Number(/^status codes: (\d+) 2xx/m.exec(stdout)?.[1] ?? 0);
    const rate = Number(/^finished in [^,]+, ([\d.]+) req\/s/m.exec(stdout)?.[1] ?? 0);
    if (taken !== count || rate === 0) throw new Error(`h2load was not served:\n${stdout}`);
    return count / rate;
  }
}
