import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { request, type Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { generateApiKey } from '../../src/access/api-key.ts';
import { SCOPES } from '../../src/access/scopes.ts';
import { assertProblem } from './assert-problem.ts';
import { captureLog } from './captured-log.ts';
import { digestDatabase } from './database-digest.ts';
import { furnish } from './furnished-app.ts';
import { makeKey } from './made-key.ts';
import { pathOf, OPEN_ROUTES, ROUTE_BOOK, unknownPlaces, type BookedRoute } from './route-book.ts';
import { textOf } from './text-of.ts';

const log = captureLog();
const network = await startNetwork({ role: 'api', logger: log.logger });
after(() => network[Symbol.asyncDispose]());
const { phone, places } = await furnish(network, network.app);
const { secretKey, publishableKey } = network.app;

function call(
  booked: BookedRoute,
  headers: Readonly<Record<string, string>>,
  at = places,
): Promise<Answer> {
  const { method, body } = booked;
  const all = { ...booked.headers, ...headers };
  return request(network.url + pathOf(booked, at), { method, body, headers: all });
}

function bearer(key: string): Readonly<Record<string, string>> {
  return { authorization: `Bearer ${key}` };
}

/** An answer without what differs by nature: its own id. */
function comparable(answer: Answer): unknown {
  const { instance: _, ...body } = answer.body;
  return { status: answer.status, body };
}

test('the route book is the routes that the server has below /v1', async () => {
  const document = (await request(`${network.url}/openapi.json`)).body;
  const paths = Object.entries(document['paths'] as object).filter(([path]) =>
    path.startsWith('/v1'),
  );
  const registered = paths.flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const booked = ROUTE_BOOK.map(({ method, route }) => `${method} ${route}`);
  assert.deepEqual(registered.toSorted(), [...booked, ...OPEN_ROUTES].toSorted());
});

test('every route refuses credentials that are missing, mistyped, unknown, revoked or expired', async (t) => {
  const longAgo = new Date(network.clock.now().getTime() - 1_000);
  const mistyped = secretKey.replace(/.$/, (last) => (last === 'a' ? 'b' : 'a'));
  const swapped = secretKey.replace(/(.)(.)$/, (_, a: string, b: string) => b + a);
  const bad: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    missing: {},
    empty: { authorization: '' },
    'of another scheme': { authorization: `Basic ${btoa(`${secretKey}:`)}` },
    'without a scheme': { authorization: secretKey },
    'two at once': { authorization: `Bearer ${secretKey} ${secretKey}` },
    mistyped: bearer(mistyped),
    ...(swapped !== secretKey && { 'two letters swapped': bearer(swapped) }),
    'cut short': bearer(secretKey.slice(0, -1)),
    unknown: bearer(generateApiKey('sk_test')),
    'unknown publishable': bearer(generateApiKey('pk')),
    'its hint': bearer(`${secretKey.slice(0, 12)}...${secretKey.slice(-4)}`),
    revoked: bearer(await makeKey(network, network.app.id, { scopes: SCOPES, revokedAt: longAgo })),
    expired: bearer(await makeKey(network, network.app.id, { scopes: SCOPES, expiresAt: longAgo })),
    'the database hash': bearer(randomBytes(32).toString('hex')),
  };
  const before = await digestDatabase(network.homing.db);
  for (const booked of ROUTE_BOOK) {
    for (const headers of Object.values(bad)) {
      assertProblem(await call(booked, headers), 'invalid_credentials');
    }
  }
  t.diagnostic(`${ROUTE_BOOK.length} routes × ${Object.keys(bad).length} credentials`);
  assert.equal(await digestDatabase(network.homing.db), before);
});

test('every route takes the one scope that it names and refuses each of the others', async (t) => {
  const keys = new Map<string, string>();
  for (const scope of SCOPES) {
    keys.set(scope, await makeKey(network, network.app.id, { scopes: [scope] }));
  }
  const none = await makeKey(network, network.app.id, { scopes: [] });
  const before = await digestDatabase(network.homing.db);
  let refused = 0;
  for (const booked of ROUTE_BOOK) {
    assertProblem(await call(booked, bearer(none)), 'scope_missing');
    for (const [scope, key] of keys) {
      if (scope === booked.scope) continue;
      const answer = await call(booked, bearer(key));
      assertProblem(answer, 'scope_missing');
      assert.match(textOf(answer.body['detail']), new RegExp(`"${booked.scope}"`));
      refused += 1;
    }
  }
  assert.equal(await digestDatabase(network.homing.db), before);
  for (const booked of ROUTE_BOOK) {
    const answer = await call(booked, bearer(keys.get(booked.scope) ?? ''), unknownPlaces());
    assert.ok([200, 201, 202, 204, 404, 409].includes(answer.status), JSON.stringify(answer.body));
  }
  t.diagnostic(`${refused} refusals over ${ROUTE_BOOK.length} routes`);
});

test('the simple routes need the scope that writes installations', async () => {
  const key = await makeKey(network, network.app.id, { scopes: ['installations:read'] });
  const body = { token: 'x'.repeat(80), deviceId: 'd1' };
  for (const [method, path] of [
    ['POST', '/register-token'],
    ['DELETE', '/delete-token'],
  ] as const) {
    const send = (text: string) =>
      request(network.url + path, { method, body, headers: bearer(text) });
    assertProblem(await send(key), 'scope_missing');
    assertProblem(await send(publishableKey), 'invalid_credentials');
    const unknown = await send(generateApiKey('sk_test'));
    assertProblem(unknown, 'invalid_credentials');
    assert.equal(unknown.body['error'], unknown.body['title']);
  }
});

test('a publishable key opens the routes of an installation and no other', async () => {
  const before = await digestDatabase(network.homing.db);
  for (const booked of ROUTE_BOOK.filter((one) => !one.forClients && !one.forPages)) {
    const headers = { ...bearer(publishableKey), 'homing-installation-secret': phone.secret };
    assertProblem(await call(booked, headers), 'invalid_credentials');
  }
  assert.equal(await digestDatabase(network.homing.db), before);
});

test('a wrong secret looks the same for installations that exist and that do not', async () => {
  const another = network.device();
  assertAnswered(await another.register(apnsToken()), 201);
  const secrets = [another.secret, randomBytes(32).toString('base64url')];
  const before = await digestDatabase(network.homing.db);
  for (const booked of ROUTE_BOOK.filter(({ forClients }) => forClients)) {
    for (const secret of secrets) {
      const headers = { ...bearer(publishableKey), 'homing-installation-secret': secret };
      const known = await call(booked, headers);
      assertProblem(known, 'invalid_credentials');
      // Only an enrolment takes a secret that is new.
      if (booked.method === 'PUT' && booked.route.endsWith('{installation_id}')) continue;
      const unknown = await call(booked, headers, unknownPlaces());
      assert.deepEqual(comparable(unknown), comparable(known));
    }
  }
  assert.equal(await digestDatabase(network.homing.db), before);
});

test('a secret that is missing or has not the form of one is refused alike everywhere', async () => {
  const malformed = ['', 'short', phone.secret.slice(1), `${phone.secret}=`, '*'.repeat(43)];
  const before = await digestDatabase(network.homing.db);
  for (const booked of ROUTE_BOOK.filter(({ forClients }) => forClients)) {
    const missing = await call(booked, bearer(publishableKey));
    assertProblem(missing, 'invalid_credentials');
    const unknown = await call(booked, bearer(publishableKey), unknownPlaces());
    assert.deepEqual(comparable(unknown), comparable(missing));
    for (const secret of malformed) {
      const headers = { ...bearer(publishableKey), 'homing-installation-secret': secret };
      assertProblem(await call(booked, headers), 'invalid_credentials');
    }
  }
  assert.equal(await digestDatabase(network.homing.db), before);
});

test('keys and secrets stand nowhere in clear: not in the database, not in the log', async () => {
  const rows = await network.homing.db<{ line: string }[]>`select k::text as line from api_key k`;
  const app = await network.homing.db<{ line: string }[]>`
    select i::text as line from installation i`;
  const text = JSON.stringify([rows, app]) + log.text();
  for (const secret of [secretKey, publishableKey, phone.secret]) {
    assert.ok(!text.includes(secret));
    // Not its random part either.
    assert.ok(!text.includes(secret.slice(-30)));
  }
});

test('a revoked key is refused within seconds, while another goes on', async () => {
  const key = await makeKey(network, network.app.id, { scopes: SCOPES });
  const path = `${network.url}/v1/installations`;
  assertAnswered(await request(path, { headers: bearer(key) }), 200);
  await network.homing.db`
    update api_key set revoked_at = ${network.clock.now()} where hint = ${`hmg_sk_test_…${key.slice(-4)}`}`;
  network.clock.advance(2_001);
  assertProblem(await request(path, { headers: bearer(key) }), 'invalid_credentials');
  assertAnswered(await request(path, { headers: bearer(secretKey) }), 200);
});

async function requestIdFor(id: string): Promise<string> {
  const headers = { ...bearer(secretKey), 'x-request-id': id };
  const answer = await request(`${network.url}/v1/installations/${randomUUID()}`, { headers });
  return answer.headers.get('x-request-id') ?? '';
}

test('a request id of the caller is kept when it is one, and replaced when it is not', async () => {
  assert.equal(await requestIdFor('trace-0123456789'), 'trace-0123456789');
  for (const id of ['short', 'x'.repeat(65), 'with a space', '<script>alert(1)</script>']) {
    assert.match(await requestIdFor(id), /^[0-9a-f-]{36}$/);
  }
});
