import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startNetwork, type Network } from '../../../test/network.ts';
import { createHoming, HomingError, type AudienceLine, type Homing } from '../src/index.ts';

const UPLOAD = fileURLToPath(new URL('upload-main.ts', import.meta.url));
/** The whole million takes a minute, and is for whoever changes the upload. */
const LINES = Number(process.env['HOMING_TEST_AUDIENCE_LINES'] ?? 200_000);
const MEGABYTE = 1024 * 1024;
const run = promisify(execFile);
/** What waits for ever has failed. */
const BOUND = { timeout: 30_000 };

let network: Network;
let homing: Homing;
before(async () => {
  network = await startNetwork({ role: 'api' });
  homing = createHoming({ baseUrl: network.url, secretKey: network.app.secretKey });
});
after(() => network[Symbol.asyncDispose]());

/** A source without end that tells how far it was read, and when it was closed. */
function watchedSource(lineAt: (index: number) => AudienceLine) {
  const state = { read: 0 };
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  async function* lines(): AsyncGenerator<AudienceLine> {
    try {
      for (;;) {
        yield lineAt(state.read);
        state.read += 1;
      }
    } finally {
      resolve();
    }
  }
  return { state, closed, lines: lines() };
}

/** More than what is on its way at a time, so that it is broken off in the middle. */
const MANY = 30_000;

function* crowd(): Generator<AudienceLine> {
  for (let index = 0; index < MANY; index += 1) yield { user: `${index} ${randomUUID()}` };
}

/** Turns a request away before it has read what comes with it. */
const turnAway: RequestListener = (_request, response) => {
  const problem = { code: 'draining', detail: 'later', status: 503 };
  const headers = { 'content-type': 'application/problem+json', 'retry-after': '0' };
  response.writeHead(503, headers).end(JSON.stringify(problem));
};

const saysNothing: RequestListener = () => {};

async function startServer(
  listener: RequestListener,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

test('a list is made of whatever can be walked through', async () => {
  const installation = randomUUID();
  const line = { user: 'maria', variables: { name: 'Mária – 玛' } };
  const sources = [
    [{ user: 'sara' }, line, { installation }],
    new Set([{ user: 'sara' }, line, { installation }]),
    () => [{ user: 'sara' }, line, { installation }, line],
  ];
  for (const source of sources) {
    const { id, members } = await homing.audiences.create(source);
    assert.equal(members, 3);
    const report = await homing.audiences.get(id);
    assert.deepEqual([report.users, report.installations, report.has_variables], [2, 1, true]);
  }
});

test('an upload is given up at the first refusal, and its source closed', BOUND, async () => {
  const endless = watchedSource(() => ({ user: '', variables: { code: randomUUID() } }));

  await assert.rejects(homing.audiences.create(endless.lines), (error) => {
    assert.ok(error instanceof HomingError);
    assert.deepEqual([error.code, error.status], ['validation_failed', 422]);
    assert.equal(error.errors[0]?.pointer, '/lines/1/user');
    return true;
  });

  await endless.closed;
});

test('what the source throws is thrown, once, and nothing is made', async () => {
  const broken = new Error('the customers are gone');
  const lines = watchedSource((index) => {
    if (index === 50_000) throw broken;
    return { user: `user-${index}` };
  });
  await assert.rejects(homing.audiences.create(lines.lines), broken);
  assert.equal(lines.state.read, 50_000);

  let beginnings = 0;
  const anew = () => {
    beginnings += 1;
    throw broken;
  };
  await assert.rejects(homing.audiences.create(anew), broken);
  assert.equal(beginnings, 1);
});

test("the caller's signal ends an upload and closes its source", BOUND, async () => {
  const left = new AbortController();
  const reason = new Error('never mind');
  const endless = watchedSource((index) => {
    if (index === 20_000) left.abort(reason);
    return { user: `user-${index}` };
  });
  await assert.rejects(homing.audiences.create(endless.lines, { signal: left.signal }), reason);
  await endless.closed;
});

test('a source is closed as well where no server was reached, or none answers', BOUND, async () => {
  const { secretKey } = network.app;
  const unreachable = createHoming({ baseUrl: 'http://127.0.0.1:1', secretKey, retries: 0 });
  const unsent = watchedSource(() => ({ user: randomUUID() }));
  await assert.rejects(unreachable.audiences.create(unsent.lines), { code: 'no_answer' });
  await unsent.closed;

  await using silent = await startServer(saysNothing);
  const waiting = createHoming({ baseUrl: silent.url, secretKey, retries: 0 });
  const unread = watchedSource(() => ({ user: randomUUID() }));
  const given = waiting.audiences.create(unread.lines, { timeoutMs: 500 });
  await assert.rejects(given, { code: 'timed_out' });
  await unread.closed;
});

test('a long upload that is turned away halfway begins anew', BOUND, async () => {
  await using busy = await startServer(turnAway);
  let attempts = 0;
  const often = createHoming({
    baseUrl: network.url,
    secretKey: network.app.secretKey,
    fetch: (url, init) => {
      attempts += 1;
      return fetch(attempts === 1 ? url.replace(network.url, busy.url) : url, init);
    },
  });
  assert.equal((await often.audiences.create(crowd)).members, MANY);
  assert.equal(attempts, 2);
});

test('a long upload that cannot begin anew tells why it was turned away', BOUND, async () => {
  await using busy = await startServer(turnAway);
  const turnedAway = createHoming({ baseUrl: busy.url, secretKey: network.app.secretKey });
  await assert.rejects(turnedAway.audiences.create(crowd()), { code: 'draining', status: 503 });
});

test(`a list of ${LINES} lines is uploaded in constant memory`, async (t) => {
  const { stdout } = await run(
    process.execPath,
    ['--conditions=source', '--expose-gc', UPLOAD, network.url, String(LINES)],
    { env: { SECRET_KEY: network.app.secretKey } },
  );
  const { members, megabytes, growth, peak } = JSON.parse(stdout) as Record<string, number>;
  t.diagnostic(`${megabytes?.toFixed(0)} MB of lines, memory grew by ${growth?.toFixed(1)} MB`);
  t.diagnostic(`at most ${peak?.toFixed(1)} MB in use`);

  assert.equal(members, LINES);
  // What is on its way, in some buffers; the list itself is many times that.
  assert.ok(Number(growth) < 12, `grew by ${growth} MB`);
  assert.ok((LINES * 200) / MEGABYTE > 3 * Number(growth));
});
