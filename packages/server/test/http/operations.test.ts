import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { after, test } from 'node:test';
import { createApp, createLogger, VERSION } from '@homing/server';
import { request } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, Device, fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';
import { textOf } from './text-of.ts';

const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());

/** A second server of the network, on its database or on another address of it. */
function secondServer(databaseUrl = network.config.database.url) {
  const { masterKey } = network;
  const database = { url: databaseUrl, directUrl: null, connections: 4 };
  const config = { ...network.config, role: 'api', database } as const;
  const overrides = { clock: network.clock.now, logger: createLogger('silent') };
  return createApp(config, { masterKey }, overrides);
}

/** A cable to PostgreSQL that can be pulled. */
async function startCable() {
  const target = databaseSocket(network.config.database.url);
  const sockets = new Set<Socket>();
  const listen = async (port: number): Promise<Server> => {
    const server = createServer((near) => {
      const far = connect(target);
      for (const [a, b] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(a);
        a.on('error', () => b.destroy());
        a.on('close', () => b.destroy());
        a.pipe(b);
      }
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  let server = await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const pull = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  const name = network.config.database.url.replace(/^.*\//, '');
  return {
    url: `postgres://postgres@127.0.0.1:${port}/${name}`,
    pull,
    async plug() {
      server = await listen(port);
    },
    [Symbol.asyncDispose]: pull,
  };
}

/** Where the tests' PostgreSQL listens: a unix socket, percent-encoded as the host, or TCP. */
function databaseSocket(url: string): { readonly path: string } | { host: string; port: number } {
  const [, host = '', port = '5432'] = /@([^:/]*)(?::(\d+))?\//.exec(url) ?? [];
  const decoded = decodeURIComponent(host);
  if (!decoded.startsWith('/')) return { host: decoded, port: Number(port) };
  const directory = decoded.split(',')[0] ?? '';
  return { path: `${directory.replace(/\/$/, '')}/.s.PGSQL.${port}` };
}

test('a healthy process is live and ready and says its version', async () => {
  for (const [path, body] of [
    ['/livez', { status: 'live' }],
    ['/readyz', { status: 'ready' }],
    ['/version', { version: VERSION }],
  ] as const) {
    const answer = await request(network.url + path);
    assertAnswered(answer, 200);
    assert.deepEqual(answer.body, body);
    assert.ok(answer.headers.get('x-request-id'));
  }
});

test('the metrics count requests by route and status, and pushes by outcome', async () => {
  const phone = network.device();
  assertAnswered(await phone.register(apnsToken(), 'anna'), 201);
  await network.backEnd.sendToUsers(['anna']);
  await network.drain();
  await request(`${network.url}/v1/installations/${phone.id}`);
  const answer = await request(`${network.url}/metrics`);
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
  const text = textOf(answer.body);
  const route = '/v1/installations/:installation_id';
  for (const line of [
    `homing_http_requests_total{route="${route}",status="201"} 1`,
    `homing_http_requests_total{route="${route}",status="401"} 1`,
    'homing_http_requests_total{route="/v1/notifications",status="202"} 1',
    'homing_provider_outcomes_total{provider="apns",outcome="accepted"} 1',
    'homing_refuted_refusals_total 0',
    'homing_dispatcher_faults_total 0',
  ]) {
    assert.ok(
      text.includes(`${line}\n`),
      `${line}\n${text.match(/^homing_http.*$/gm)?.join('\n')}`,
    );
  }
  assert.doesNotMatch(text, new RegExp(`${phone.id}|anna`));
  assert.match(text, /homing_process_cpu_seconds_total/);
});

test('an address that nobody knows makes no counter of its own', async () => {
  for (let index = 0; index < 5; index += 1) await request(`${network.url}/scan/${index}`);
  const text = textOf((await request(`${network.url}/metrics`)).body);
  assert.doesNotMatch(text, /scan/);
});

test('without its database a process is live, not ready, and asks callers to come again', async () => {
  await using cable = await startCable();
  await using app = secondServer(cable.url);
  const url = (await app.start()) ?? '';
  assertAnswered(await request(`${url}/readyz`), 200);
  await cable.pull();
  assertAnswered(await request(`${url}/livez`), 200);
  const notReady = await request(`${url}/readyz`);
  assertAnswered(notReady, 503);
  assert.match(notReady.headers.get('retry-after') ?? '', /^\d+$/);
  assert.match(textOf(notReady.body['reason']), /database/);
  const device = new Device(url, network.app, network.issuer);
  const refused = await device.sync({ seq: 1, token: fcmToken() });
  assertProblem(refused, 'database_unavailable');
  assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/);
  await cable.plug();
  const restored = await untilReady(url);
  assertAnswered(restored, 200);
  assertAnswered(await device.sync({ seq: 1, token: fcmToken() }), 201);
});

/** The driver waits longer after each failed connection; the deadline bounds a failure only. */
async function untilReady(url: string) {
  const deadline = Date.now() + 30_000;
  for (;;) {
    const answer = await request(`${url}/readyz`);
    if (answer.status === 200 || Date.now() > deadline) return answer;
  }
}

/** One connection by hand, to begin a request before the server stops and end it after. */
async function openConnection(url: string): Promise<{
  write(text: string): void;
  readonly received: Promise<string>;
}> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const parts: Buffer[] = [];
  socket.on('data', (part: Buffer) => parts.push(part));
  const received = once(socket, 'close').then(() => Buffer.concat(parts).toString());
  return { write: (text) => socket.write(text), received };
}

test('a stop finishes what is under way, says that it drains, and takes nobody new', async () => {
  const app = secondServer();
  const url = (await app.start()) ?? '';
  const phone = new Device(url, network.app, network.issuer);
  assertAnswered(await phone.sync({ seq: 1, token: fcmToken() }), 201);
  const { host } = new URL(url);
  const asking = await openConnection(url);
  asking.write(`GET /readyz HTTP/1.1\r\nHost: ${host}\r\n`);

  // The row is held, so the request is in the server's hands when the stop begins.
  const { db } = network.homing;
  const held = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const holding = db.begin(async (tx) => {
    await tx`select 1 from installation where id = ${phone.id} for update`;
    held.resolve();
    await release.promise;
  });
  await held.promise;
  const underWay = phone.sync({ seq: 2, device: { label: 'in time' } });
  await untilSomebodyWaits();
  const stopped = app[Symbol.asyncDispose]();
  asking.write('Connection: close\r\n\r\n');
  const text = await asking.received;
  assert.match(text, /^HTTP\/1\.1 503 /);
  assert.match(text, /retry-after: \d/i);
  release.resolve();
  await holding;
  assertAnswered(await underWay, 200);
  const answeredAt = Date.now();
  await stopped;
  // Connections that stay open for another request must not hold up the end.
  assert.ok(Date.now() - answeredAt < 5_000);
  const installation = await network.backEnd.installation(phone.id);
  assert.equal(installation['device']?.['label'], 'in time');
  await assert.rejects(request(`${url}/livez`));
});

async function untilSomebodyWaits(): Promise<void> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const [row] = await network.homing.db<{ count: number }[]>`
      select count(*)::integer as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    if ((row?.count ?? 0) > 0) return;
    assert.ok(Date.now() < deadline, 'the request never reached the database');
  }
}

test('a mere worker that is given a port tells of its health there, and nothing else', async () => {
  const { masterKey, config } = network;
  const http = { ...config.http, workerPort: 0 };
  const overrides = { clock: network.clock.now, logger: createLogger('silent') };
  await using worker = createApp({ ...config, role: 'worker', http }, { masterKey }, overrides);
  const url = await worker.start();
  for (const path of ['/livez', '/readyz', '/metrics', '/version']) {
    assertAnswered(await request(`${url}${path}`), 200);
  }
  const { body: metrics } = await request(`${url}/metrics`);
  assert.match(textOf(metrics), /homing_provider_outcomes_total/);
  const post = await request(`${url}/v1/notifications`, { method: 'POST', body: {} });
  assertProblem(post, 'not_found');
});

test('a mere worker without a port listens nowhere', async () => {
  const { masterKey, config } = network;
  const overrides = { clock: network.clock.now, logger: createLogger('silent') };
  await using worker = createApp({ ...config, role: 'worker' }, { masterKey }, overrides);
  assert.equal(await worker.start(), null);
});
