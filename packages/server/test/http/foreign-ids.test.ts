import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { request, type Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';
import { digestApp } from './database-digest.ts';
import { furnish } from './furnished-app.ts';
import {
  pathOf,
  OPEN_ROUTES,
  ROUTE_BOOK,
  unknownPlaces,
  type BookedRoute,
  type RoutePlaces,
} from './route-book.ts';

/**
 * Rule R12, S37: whoever asks for what is another's gets the answer for what does not exist, to the
 * letter, and changes nothing. Generated from the OpenAPI document: a route that is not in the book
 * fails the first test.
 */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
type App = typeof network.app;
type Headers = Readonly<Record<string, string>>;

const victim = await furnish(network, await network.provision());
const neighbour = new Device(network.url, victim.app, network.issuer);
assertAnswered(await neighbour.register(apnsToken(), 'neighbour'), 201);

const document = (await request(`${network.url}/openapi.json`)).body;
const operations = Object.entries(document['paths'] as object)
  .filter(([path]) => path.startsWith('/v1'))
  .flatMap(([path, methods]) => Object.keys(methods).map((method) => ({ path, method })))
  .filter(({ path, method }) => !OPEN_ROUTES.includes(`${method.toUpperCase()} ${path}`));
const isOfInstallation = ({ route }: BookedRoute) => route.includes('{installation_id}');
const isEnrolment = ({ method, route }: BookedRoute) =>
  method === 'PUT' && route.endsWith('{installation_id}');

function rowOf(path: string, method: string): BookedRoute | undefined {
  return ROUTE_BOOK.find((row) => row.route === path && row.method === method.toUpperCase());
}

test('every operation of the document has a row', () => {
  for (const { path, method } of operations) {
    assert.ok(rowOf(path, method) !== undefined, `${method} ${path} is not in route-book.ts`);
  }
  assert.equal(operations.length, ROUTE_BOOK.length);
});

function call(booked: BookedRoute, headers: Headers, places: RoutePlaces): Promise<Answer> {
  const { method, body } = booked;
  const all = { ...booked.headers, ...headers };
  return request(network.url + pathOf(booked, places), { method, body, headers: all });
}

function bearer(key: string): Headers {
  return { authorization: `Bearer ${key}` };
}

function client(app: App, secret: string): Headers {
  return { ...bearer(app.publishableKey), 'homing-installation-secret': secret };
}

/** Status and body to the letter, without the request's own id and the names asked for. */
function letters({ status, body }: Answer, places: RoutePlaces): string {
  const { instance: _, ...rest } = body;
  const named = Object.values(places).reduce(
    (text, name) => text.replaceAll(name, 'NAME'),
    `${status} ${JSON.stringify(rest)}`,
  );
  // What is the caller's own: times, its app, and what the request created there.
  return named
    .replaceAll(/\d{4}-\d\d-\d\dT[0-9:.]+Z/g, 'TIME')
    .replaceAll(/"clock_ahead_seconds":\d+/g, '"clock_ahead_seconds":0')
    .replaceAll(/"id":"(?:ntf|app|rev|aud|crd)_[0-9a-f]{32}"/g, '"id":"OWN"');
}

test("another app's back end sees what is absent, on every route", async (t) => {
  const before = await digestApp(network.homing.db, victim.app.id);
  for (const booked of ROUTE_BOOK) {
    // A fresh app each time: some routes make an installation or a user of that name, in their own.
    const absent = unknownPlaces();
    const toAbsent = await call(booked, bearer((await network.provision()).secretKey), absent);
    const toForeign = await call(
      booked,
      bearer((await network.provision()).secretKey),
      victim.places,
    );
    const shown = `${booked.method} ${booked.route}`;
    assert.equal(letters(toForeign, victim.places), letters(toAbsent, absent), shown);
    assertSilent(toForeign);
  }
  assert.equal(await digestApp(network.homing.db, victim.app.id), before);
  t.diagnostic(`${ROUTE_BOOK.length} routes`);
});

test("another app's phone, a neighbour's, or nobody's secret opens no installation", async (t) => {
  const stranger = await furnish(network, await network.provision());
  const callers: Readonly<Record<string, Headers>> = {
    "another app's phone in its app": client(stranger.app, stranger.phone.secret),
    "another app's phone in this app": client(victim.app, stranger.phone.secret),
    'the right secret in another app': client(stranger.app, victim.phone.secret),
    'a neighbour': client(victim.app, neighbour.secret),
    'a guess': client(victim.app, randomBytes(32).toString('base64url')),
    'the id as secret': client(victim.app, victim.places.installationId.padEnd(43, '0')),
    'no secret': bearer(victim.app.publishableKey),
    'an empty secret': client(victim.app, ''),
    'the hash of the secret': client(victim.app, randomBytes(32).toString('hex').slice(0, 43)),
  };
  const before = await digestApp(network.homing.db, victim.app.id);
  let calls = 0;
  for (const booked of ROUTE_BOOK.filter(isOfInstallation)) {
    for (const [title, headers] of Object.entries(callers)) {
      const shown = `${booked.method} ${booked.route}: ${title}`;
      const isInOtherApp = headers['authorization']?.includes(stranger.app.publishableKey) === true;
      // There, a client makes its own installation of that name: see the end.
      if (isEnrolment(booked) && isInOtherApp) continue;
      const toForeign = await call(booked, headers, victim.places);
      calls += 1;
      assertProblem(toForeign, 'invalid_credentials');
      assertSilent(toForeign);
      // Of an unknown name the first secret becomes the right one.
      if (isEnrolment(booked)) continue;
      const absent = unknownPlaces();
      const toAbsent = await call(booked, headers, absent);
      assert.equal(letters(toForeign, victim.places), letters(toAbsent, absent), shown);
    }
  }
  const enrolment = ROUTE_BOOK.find(isEnrolment);
  assert.ok(enrolment !== undefined);
  const own = client(stranger.app, victim.phone.secret);
  assertAnswered(await call(enrolment, own, victim.places), 201);
  assert.equal(await digestApp(network.homing.db, victim.app.id), before);
  t.diagnostic(`${calls} calls`);
});

test('foreign names inside a body reach nobody and tell nothing', async () => {
  const stranger = await furnish(network, await network.provision());
  const before = await digestApp(network.homing.db, victim.app.id);
  const { installationId, userId, notificationId } = victim.places;
  const content = { title: 'Hello' };
  for (const audience of [{ installations: [installationId] }, { users: [userId] }]) {
    const id = await stranger.backEnd.send({ audience, content });
    const dryRun = { audience, content };
    const answer = await stranger.backEnd.request('POST', '/v1/notifications/validate', dryRun);
    assertAnswered(answer, 200);
    assertSilent(answer);
    assert.deepEqual(await stranger.backEnd.deliveries(id), []);
    const explained = await stranger.backEnd.get(
      `/v1/notifications/${id}/explain?user_id=${userId}`,
    );
    assertSilent(explained);
  }
  const receipts = {
    receipts: [{ notification_id: notificationId, kind: 'opened', at: '2026-01-01T00:00:00Z' }],
  };
  const receipt = await stranger.phone.request('POST', '/receipts', receipts);
  assert.deepEqual(receipt.body, { stored: 0, ignored: 1 });
  const revocation = { installations: [installationId] };
  const revoked = await stranger.backEnd.request('POST', '/v1/users/nobody/revoke', revocation);
  assert.ok([200, 404].includes(revoked.status));
  const list = await stranger.backEnd.get(`/v1/installations?user_id=${userId}`);
  assert.deepEqual(list.body['data'], []);
  assert.equal(await digestApp(network.homing.db, victim.app.id), before);
});

/** No answer to a stranger holds anything that only the victim's app knows. */
function assertSilent(answer: Answer): void {
  const text = JSON.stringify(answer.body);
  assert.ok(!text.includes('canary-'), text);
  assert.ok(!text.includes(victim.phone.secret), text);
}
