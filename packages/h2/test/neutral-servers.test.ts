// Our pool against servers in C that other people wrote: nginx and nghttpd.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Http2Pool, RequestShape, type Http2Answer } from '@homing/h2';
import { freePort } from '../../../bench/neutral/free-port.ts';
import { NGHTTPD } from '../../../bench/neutral/nghttpd.ts';
import { NGINX } from '../../../bench/neutral/nginx.ts';
import { ServerProcess } from '../../../bench/neutral/server-process.ts';
import { missingTools, type Tool } from '../../../bench/tool.ts';
import { createSeededRandom, freshSeed, type SeededRandom } from '../../../test/seeded-random.ts';
import { poolOptions } from './pool-options.ts';
import { PEER_IDENTITY } from './raw-peer.ts';

const REQUESTS = 3_000;
const AT_ONCE = 100;
const SHAPE = new RequestShape({
  constants: { 'apns-topic': 'com.acme.shop' },
  varying: ['x-number'],
});

/** Only outside of CI, which installs both. */
function unless(tool: Tool): { readonly skip: string | false } {
  const isMissing = process.env['CI'] !== 'true' && missingTools([tool]).length > 0;
  return { skip: isMissing && `${tool.command} is missing; Debian's package ${tool.packageName}` };
}

describe('nginx', () => {
  it('gets every request once and whole, through reloads and GOAWAYs', unless(NGINX), async (t) => {
    const random = createSeededRandom(freshSeed());
    t.diagnostic(`seed ${random.seed}`);
    await using stack = new AsyncDisposableStack();
    const directory = await scratchDirectory(stack);
    const upstream = await startUpstream(stack);
    const port = await freePort();
    const file = join(directory, 'nginx.conf');
    await writeFile(file, nginxConfiguration(directory, port, upstream.port));
    const args = ['-p', directory, '-e', 'stderr', '-c', file];
    const nginx = stack.use(await ServerProcess.start('nginx', args, port));
    const options = { maxConnections: 2, maxStreams: 50 };
    const pool = stack.use(new Http2Pool(poolOptions(`https://127.0.0.1:${port}`, options)));

    const connections = new Set<number>();
    await sendAll(random, async (number, body) => {
      if (number === REQUESTS / 3 || number === REQUESTS / 2) process.kill(nginx.pid, 'SIGHUP');
      const answer = await post(pool, `/echo/${number}`, number, body);
      assert.equal(answer.status, 200, answer.body);
      assert.equal(answer.body, `${number} ${digest(body)}${'.'.repeat(padding(number))}`);
      connections.add(answer.connection);
    });
    assert.equal(upstream.counts.size, REQUESTS);
    assert.deepEqual(new Set(upstream.counts.values()), new Set([1]));
    // Two at first, two after each reload; nginx also ends a connection after 500 requests.
    assert(connections.size >= 6, `${connections.size} connections`);
    t.diagnostic(`${connections.size} connections`);
  });
});

describe('nghttpd', () => {
  for (const limits of [
    ['-m', '1', '-w', '10', '-W', '16'],
    ['-m', '50', '-w', '16', '-c', '0'],
    ['-m', '1000', '-w', '20', '-W', '24', '--trailer', 'x-trailer: at the end'],
  ]) {
    it(`sends back what it gets, with ${limits.join(' ')}`, unless(NGHTTPD), async (t) => {
      const random = createSeededRandom(freshSeed());
      t.diagnostic(`seed ${random.seed}`);
      await using stack = new AsyncDisposableStack();
      const directory = await scratchDirectory(stack);
      const port = await freePort();
      const place = ['-a', '127.0.0.1', '-d', directory, '--echo-upload'];
      const files = [join(directory, 'key.pem'), join(directory, 'certificate.pem')];
      const args = [...limits, ...place, String(port), ...files];
      stack.use(await ServerProcess.start('nghttpd', args, port));
      const pool = stack.use(new Http2Pool(poolOptions(`https://127.0.0.1:${port}`)));
      await sendAll(random, async (number, body) => {
        const answer = await post(pool, `/${number}`, number, body);
        assert.equal(answer.status, 200);
        assert.equal(answer.body, body.toString());
      });
    });
  }
});

async function post(
  pool: Http2Pool,
  path: string,
  number: number,
  body: Buffer,
): Promise<Http2Answer> {
  const request = { shape: SHAPE, path, values: [String(number)], body };
  const startBefore = performance.now() + 60_000;
  const result = await pool.request(request, { startBefore, signal: new AbortController().signal });
  assert(result.kind === 'answer', `${number}: ${JSON.stringify(result)}`);
  return result;
}

/** Bodies of all sizes up to the largest answer that the pool keeps, so many at once. */
async function sendAll(
  random: SeededRandom,
  send: (number: number, body: Buffer) => Promise<void>,
): Promise<void> {
  let next = 0;
  const sendSome = async (): Promise<void> => {
    while (next < REQUESTS) {
      const number = next;
      next += 1;
      const size = random.pick([0, 1, 150, 150, 4_096, random.below(64 * 1_024)]);
      await send(number, Buffer.alloc(size, `${number} of ${size}, `));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, sendSome));
}

interface Upstream {
  readonly port: number;
  /** How often each request came. */
  readonly counts: ReadonlyMap<string, number>;
}

/** The HTTP/1.1 server behind nginx, which tells what it got, in answers small and large. */
async function startUpstream(stack: AsyncDisposableStack): Promise<Upstream> {
  const counts = new Map<string, number>();
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const number = String(request.headers['x-number']);
      counts.set(number, (counts.get(number) ?? 0) + 1);
      const tail = '.'.repeat(padding(Number(number)));
      response.end(`${number} ${digest(Buffer.concat(chunks))}${tail}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return { port: (server.address() as AddressInfo).port, counts };
}

function padding(number: number): number {
  return number % 5 === 0 ? (number * 97) % 60_000 : 0;
}

function digest(bytes: Buffer): string {
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}

async function scratchDirectory(stack: AsyncDisposableStack): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'homing-h2-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'key.pem'), PEER_IDENTITY.key, { mode: 0o600 });
  await writeFile(join(directory, 'certificate.pem'), PEER_IDENTITY.cert);
  return directory;
}

/** With a master, since it is the one that reloads; its worker has to own the directory. */
function nginxConfiguration(directory: string, port: number, upstreamPort: number): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `  ${name}_temp_path ${join(directory, name)};`)
    .join('\n');
  return `
daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 500;
  http2_max_concurrent_streams 8;
${temporary}
  upstream node { server 127.0.0.1:${upstreamPort}; keepalive 16; }
  server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate ${join(directory, 'certificate.pem')};
    ssl_certificate_key ${join(directory, 'key.pem')};
    location /echo/ {
      proxy_pass http://node;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }
  }
}
`;
}
