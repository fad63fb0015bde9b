import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { assertAnswered } from '../answered.ts';
import { apnsToken, fcmToken, type Device } from '../device.ts';
import { startNetwork } from '../network.ts';
import { EVENT_KINDS } from '../../packages/server/src/domain/event.ts';

/** What support reads: timelines, the facts on an installation, and why somebody got nothing. */
const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());
const { backEnd, clock, homing } = network;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

interface Line {
  readonly kind: string;
  readonly sentence: string;
}

interface Former {
  readonly installation_id: string;
  readonly ended_by: string;
  readonly app_version: string | null;
  readonly sentence: string;
}

interface FailureFacts {
  readonly last_accepted_on: string | null;
  readonly last_failure: { readonly code: string; readonly at: string } | null;
  readonly failures_in_a_row: number;
}

async function linesOf(path: string): Promise<readonly Line[]> {
  const answer = await backEnd.get(`${path}/timeline`);
  assertAnswered(answer, 200);
  return answer.body['data'] as unknown as readonly Line[];
}

async function send(user: string): Promise<string> {
  const id = await backEnd.sendToUsers([user]);
  await network.drain();
  return id;
}

async function put(device: Device, place: string, body: object): Promise<void> {
  assertAnswered(await device.request('PUT', `${place}?seq=${device.nextSeq()}`, body), 200);
}

async function applyReview(): Promise<void> {
  const begun = await backEnd.request('POST', '/v1/reviews');
  await homing.maintenance.run();
  const { id } = begun.body as unknown as { id: string };
  const { totals } = (await backEnd.get(`/v1/reviews/${id}`)).body;
  const agreed = { dormant: totals?.['dormant'] };
  assertAnswered(await backEnd.request('POST', `/v1/reviews/${id}/apply`, agreed), 202);
  await homing.maintenance.run();
}

/** Lives through everything that the timeline has a line for, and returns what it says. */
async function liveThroughAll(): Promise<readonly Line[]> {
  const [phone, other] = [network.device(), network.device()];
  const [first, second] = [apnsToken(), apnsToken()];
  assertAnswered(await phone.sync({ token_error: { code: 'SERVICE_NOT_AVAILABLE' } }), 201);
  assertAnswered(await phone.sync({ token: first, device: { app_version: '1.0' } }), 200);
  assertAnswered(await phone.sync({ token: second, device: { app_version: '1.1' } }), 200);
  assertAnswered(await phone.signIn('anna'), 200);
  assertAnswered(await phone.sync({ permission: 'granted' }), 200);
  await put(phone, '/preferences', { mode: 'only_this_device' });
  await put(phone, '/topics/news', { scope: 'device' });
  assertAnswered(await phone.request('DELETE', `/topics/news?seq=${phone.nextSeq()}`), 200);
  assertAnswered(await phone.sync({ seq: 1, user: null }), 200);
  assertAnswered(await phone.sync({ seq: phone.seq, user: null }), 200);
  assertAnswered(await phone.sync({ user: { id: 'ben', assertion: 'forged' } }), 401);
  // The provider's word, and the device's.
  await clock.advance(MINUTE_MS);
  assertAnswered(await phone.signIn('anna'), 200);
  network.apns.devices.set(second.value, { kind: 'other_topic' });
  await send('anna');
  network.apns.devices.set(second.value, { kind: 'live' });
  assertAnswered(await phone.sync({ token: second }), 200);
  await clock.advance(DAY_MS);
  const atMs = clock.now().getTime();
  network.apns.devices.set(second.value, { kind: 'unregistered', atMs });
  await send('anna');
  assertAnswered(await phone.sync({ token: fcmToken() }), 200);
  await clock.advance(61 * DAY_MS);
  await applyReview();
  const last = fcmToken();
  assertAnswered(await phone.sync({ token: last }), 200);
  assertAnswered(await phone.sync({ seq: phone.seq, token: fcmToken() }), 409);
  await clock.advance(MINUTE_MS);
  assertAnswered(await other.register(last, 'anna'), 201);
  assertAnswered(await phone.request('DELETE', ''), 204);
  return linesOf(`/v1/installations/${phone.id}`);
}

/** The lines of an installation whose app was deleted and installed anew. */
async function reinstall(): Promise<readonly Line[]> {
  const phones = [network.device(), network.device()];
  const device = { platform: 'ios', vendor_id: randomUUID() };
  for (const phone of phones) {
    const user = { id: 'greta', assertion: await phone.assertion('greta') };
    assertAnswered(await phone.sync({ token: apnsToken(), user, device }), 201);
    await clock.advance(MINUTE_MS);
  }
  return linesOf(`/v1/installations/${phones[0]?.id}`);
}

/** Written by what is still to come: disputes about a token. */
const NOT_YET = ['token.contested'];

test('the timeline has a line, in words, for every kind of event', async (t) => {
  const lines = [...(await liveThroughAll()), ...(await reinstall())];
  const seen = new Set(lines.map(({ kind }) => kind));
  const missing = EVENT_KINDS.filter((kind) => !seen.has(kind));
  assert.deepEqual(missing, NOT_YET, lines.map(({ kind }) => kind).join(', '));
  for (const { kind, sentence } of lines) {
    assert.match(sentence, /^[A-Z].+\.$/, kind);
    assert.doesNotMatch(sentence, /null|undefined|NaN/, kind);
  }
  t.diagnostic(`${seen.size} kinds in ${lines.length} lines`);
});

test('the timeline of a user has the deliveries in their place, and tells who left afterwards', async () => {
  const phone = network.device();
  assertAnswered(await phone.register(fcmToken(), 'cleo'), 201);
  await send('cleo');
  assertAnswered(await phone.signOut(), 204);
  await send('cleo');
  const expected = [
    ['user.attached', 'User cleo signed in.'],
    [
      'delivery.accepted',
      'Accepted by FCM. The owner of the device changed after it was accepted.',
    ],
    ['user.detached', 'User cleo signed out.'],
  ];
  const lines = await linesOf('/v1/users/cleo');
  assert.deepEqual(
    lines.slice(-3).map(({ kind, sentence }) => [kind, sentence]),
    expected,
  );
  const times = (lines as unknown as readonly { at: string }[]).map(({ at }) => at);
  assert.deepEqual(times, times.toSorted());
  assertAnswered(await phone.signIn('cleo'), 200);
  await send('cleo');
  assert.equal((await linesOf('/v1/users/cleo')).at(-1)?.sentence, 'Accepted by FCM.');
});

test('explain lists former devices: how each link ended, when, and on which version of the app', async () => {
  const versions = ['3.1', '3.2', '3.3'];
  const phones: Device[] = [];
  for (const version of versions) {
    const phone = network.device();
    const user = { id: 'dora', assertion: await phone.assertion('dora') };
    const device = { app_version: version };
    assertAnswered(await phone.sync({ token: fcmToken(), user, device }), 201);
    phones.push(phone);
  }
  const [loggedOut, switched, removed] = phones;
  assert.ok(loggedOut && switched && removed);
  assertAnswered(await loggedOut.signOut(), 204);
  assertAnswered(await switched.signIn('emil'), 200);
  assertAnswered(await removed.request('DELETE', ''), 204);
  const id = await send('dora');
  const answer = await backEnd.get(`/v1/notifications/${id}/explain?user_id=dora`);
  assertAnswered(answer, 200);
  assert.equal(answer.body['summary'], 'The user is not signed in on any device any more.');
  const former = answer.body['former_installations'] as unknown as readonly Former[];
  assert.deepEqual(
    former.map((one) => [one.installation_id, one.ended_by, one.app_version]),
    [
      [removed.id, 'removed', '3.3'],
      [switched.id, 'switched', '3.2'],
      [loggedOut.id, 'logout', '3.1'],
    ],
  );
  assert.match(
    former[2]?.sentence ?? '',
    /^Signed in until \d{4}-.+Z, with version 3\.1 of the app; it ended by a logout\.$/,
  );
});

test('an installation shows a secret key its last acceptance and its failures in a row', async () => {
  const [phone, token] = [network.device(), apnsToken()];
  assertAnswered(await phone.register(token, 'fritz'), 201);
  const facts = async () => {
    const row = (await backEnd.installation(phone.id)) as unknown as FailureFacts;
    return [row.last_accepted_on, row.last_failure?.code ?? null, row.failures_in_a_row];
  };
  assert.deepEqual(await facts(), [null, null, 0]);
  await send('fritz');
  const day = clock.now().toISOString().slice(0, 10);
  assert.deepEqual(await facts(), [day, null, 0]);

  network.apns.devices.set(token.value, { kind: 'throttled' });
  await send('fritz');
  await clock.advance(60 * MINUTE_MS);
  await network.drain();
  assert.deepEqual(await facts(), [day, 'TooManyRequests', 2]);
  assert.ok(!('failures_in_a_row' in (await phone.request('GET', '')).body));

  network.apns.devices.set(token.value, { kind: 'live' });
  await send('fritz');
  const lastDay = clock.now().toISOString().slice(0, 10);
  assert.deepEqual(await facts(), [lastDay, 'TooManyRequests', 0]);
});
