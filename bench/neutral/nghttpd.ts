import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Tool } from '../tool.ts';
import { freePort } from './free-port.ts';
import { makeNeutralIdentity, type NeutralServer } from './neutral-server.ts';
import { ServerProcess } from './server-process.ts';

export const NGHTTPD: Tool = {
  command: 'nghttpd',
  versionArgs: ['--version'],
  packageName: 'nghttp2-server',
};

/** Where it has something to serve; what follows a question mark may differ with each request. */
export const NGHTTPD_PATH = '/3/device/?';

/**
 * nghttpd with one thread. It serves an empty file for every push, since it can do nothing else.
 * That will do for measuring what a client costs, because it costs the client little: its answers
 * are small and come many to a TLS record.
 */
export async function startNghttpd(streams: number): Promise<NeutralServer> {
  const directory = await mkdtemp(join(tmpdir(), 'nghttpd-'));
  const identity = await makeNeutralIdentity(directory);
  const port = await freePort();
  const documents = join(directory, '3', 'device');
  await mkdir(documents, { recursive: true });
  await writeFile(join(documents, 'index.html'), '');
  const limits = ['-m', String(streams), '-n', '1'];
  const place = ['-a', '127.0.0.1', '-d', directory];
  const files = [identity.keyFile, identity.certificateFile];
  const args = [...limits, ...place, String(port), ...files];
  const server = await ServerProcess.start('nghttpd', args, port);
  return {
    name: 'nghttpd',
    url: `https://127.0.0.1:${port}`,
    port,
    pid: server.pid,
    authorityPem: identity.authorityPem,
    authorityFile: identity.authorityFile,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
