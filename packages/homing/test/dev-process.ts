import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { promisify } from 'node:util';
import { HomingProcess, type CommandEnvironment } from './homing-process.ts';

/** What a person reads off the banner of `homing dev`. */
export interface Banner {
  readonly apiUrl: string;
  readonly inspectionUrl: string;
  readonly secretKey: string;
  readonly publishableKey: string;
  /** The three commands to copy: register, send, look. */
  readonly commands: readonly string[];
}

/** Starts `homing dev` on free ports, unless the arguments name others. */
export function startDev(
  directory: string,
  environment: CommandEnvironment = {},
  args: readonly string[] = [],
): HomingProcess {
  const ports = ['--port', '0', '--simulator-port', '0'];
  return new HomingProcess(['dev', '--data', directory, ...ports, ...args], environment);
}

/** Waits until it serves. */
export async function readBanner(dev: HomingProcess): Promise<Banner> {
  await dev.says(/Ctrl-C stops everything/);
  const { output } = dev;
  return {
    apiUrl: firstMatch(output, /(http:\/\/\S+)/),
    inspectionUrl: firstMatch(output, /Simulated phones (http:\/\/\S+)/),
    secretKey: firstMatch(output, /Secret key +(\S+)/),
    publishableKey: firstMatch(output, /Publishable key +(\S+)/),
    commands: output
      .split('\n\n')
      .filter((paragraph) => paragraph.startsWith('curl '))
      .map((paragraph) => paragraph.trim()),
  };
}

/** Every process that has been given a path, as lines of `ps`. */
export async function processesOn(path: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,args=']);
  return stdout.split('\n').filter((line) => line.includes(path));
}

/** Takes a port for itself: the given one, which fails when somebody has it, or any. */
export async function takePort(port = 0): Promise<{ port: number } & AsyncDisposable> {
  const server: Server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert(address !== null && typeof address === 'object');
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      server.close();
      await once(server, 'close');
    },
  };
}

function firstMatch(text: string, pattern: RegExp): string {
  const found = pattern.exec(text)?.[1];
  assert(found !== undefined, `the banner shows ${pattern}: ${text}`);
  return found;
}
