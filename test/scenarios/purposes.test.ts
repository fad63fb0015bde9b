import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { LIMITS } from '@homing/server';
import type { AnswerBody } from '../answer.ts';
import { assertAnswered } from '../answered.ts';
import { assertConserved } from '../conservation.ts';
import { apnsToken, type Device } from '../device.ts';
import { createFrozenClock } from '../clock.ts';
import { startNetwork, TOPIC } from '../network.ts';
import { acceptedPushes } from '../pushes.ts';

// No retry comes due in the drain that its first attempt is seen in.
const network = await startNetwork({
  clock: createFrozenClock(),
  overrides: { random: () => 0.5 },
});
after(() => network[Symbol.asyncDispose]());
const { backEnd } = network;

/** As long as the update token of a Live Activity. */
function newToken(): string {
  return randomBytes(40).toString('hex');
}

async function report(device: Device, purpose: string, more: object = {}): Promise<string> {
  const value = newToken();
  const path = `/purpose-tokens/${purpose}?seq=${device.nextSeq()}`;
  assertAnswered(await device.request('PUT', path, { value, ...more }), 200);
  return value;
}

async function phoneOf(user: string): Promise<{ device: Device; alertToken: string }> {
  const [device, token] = [network.device(), apnsToken()];
  assertAnswered(await device.register(token, user), 201);
  return { device, alertToken: token.value };
}

interface Sent {
  readonly id: string;
  readonly report: AnswerBody;
  readonly pushes: ReturnType<typeof acceptedPushes>;
}

async function send(user: string, options: object, more: object = {}): Promise<Sent> {
  const before = network.journal.counters.received;
  const id = await backEnd.sendToUsers(
    [user],
    { title: 'Ben is calling', body: 'Video call' },
    {
      options,
      ...more,
    },
  );
  await network.drain();
  const read = await backEnd.report(id);
  assertConserved(read);
  return { id, report: read, pushes: acceptedPushes(network.journal, before) };
}

function bodyOf(sent: Sent): AnswerBody {
  return sent.pushes[0]?.body as AnswerBody;
}

const UPDATE = { apns: { aps: { event: 'update', 'content-state': { score: 2 } } } };

test('a call goes to the VoIP token alone, at once or never', async () => {
  const { device, alertToken } = await phoneOf('anna');
  const voip = await report(device, 'voip');

  const sent = await send('anna', { purpose: 'voip' });

  assert.deepEqual(
    sent.pushes.map(({ token }) => token),
    [voip],
  );
  const headers = sent.pushes[0]?.headers;
  assert.equal(headers?.['apns-push-type'], 'voip');
  assert.equal(headers?.['apns-topic'], `${TOPIC}.voip`);
  assert.equal(headers?.['apns-priority'], '10');
  assert.equal(headers?.['apns-expiration'], '0');
  assert.equal(sent.report['counts']?.['accepted'], 1);
  const [created, expires] = ['created_at', 'expires_at'].map((name) =>
    Date.parse(sent.report[name] as unknown as string),
  );
  assert.equal((expires ?? 0) - (created ?? 0), LIMITS.callTtlSeconds * 1000);
  assert.equal(network.journal.entries({ token: alertToken }).length, 0);
});

test('a call may have 5120 bytes, and an alert 4096', async () => {
  const { device } = await phoneOf('berta');
  await report(device, 'voip');
  const content = { title: 'x', data: { blob: 'a'.repeat(4_096) } };
  const call = await send('berta', { purpose: 'voip' }, { content });
  assert.equal(call.report['counts']?.['accepted'], 1);
  const alert = await send('berta', {}, { content });
  assert.deepEqual(alert.report['reasons'], { failed: { payload: 1 } });
  const larger = { title: 'x', data: { blob: 'a'.repeat(4_096), more: 'b'.repeat(1_000) } };
  const tooLarge = await send('berta', { purpose: 'voip' }, { content: larger });
  assert.deepEqual(tooLarge.report['reasons'], { failed: { payload: 1 } });
});

test('who has no token for a purpose is skipped, and nothing goes to the alert token', async () => {
  await phoneOf('carla');
  const sent = await send('carla', { purpose: 'voip' });
  assert.deepEqual(sent.report['reasons'], { skipped: { no_token: 1 } });
  assert.deepEqual(sent.pushes, []);
});

test('an update goes to the activity that it names, with the time of its acceptance', async () => {
  const { device } = await phoneOf('dora');
  const match = await report(device, 'live_activity', { activity_id: 'match-7' });
  await report(device, 'live_activity', { activity_id: 'match-8' });

  const options = { purpose: 'live_activity', activity_id: 'match-7' };
  const sent = await send('dora', options, { overrides: UPDATE });

  assert.deepEqual(
    sent.pushes.map(({ token }) => token),
    [match],
  );
  const headers = sent.pushes[0]?.headers;
  assert.equal(headers?.['apns-push-type'], 'liveactivity');
  assert.equal(headers?.['apns-topic'], `${TOPIC}.push-type.liveactivity`);
  const aps = bodyOf(sent)['aps'];
  const createdAt = Math.floor(Date.parse(sent.report['created_at'] as unknown as string) / 1000);
  assert.equal(Number(aps?.['timestamp']), createdAt);
  assert.deepEqual(aps?.['content-state'], { score: 2 });
  assert.equal(aps?.['event'], 'update');
  const unknown = { purpose: 'live_activity', activity_id: 'match-9' };
  const missed = await send('dora', unknown, { overrides: UPDATE });
  assert.deepEqual(missed.report['reasons'], { skipped: { no_token: 1 } });
});

test('a Live Activity is started through the token for that', async () => {
  const { device } = await phoneOf('emil');
  const start = await report(device, 'push_to_start');
  const aps = {
    event: 'start',
    'content-state': { score: 0 },
    'attributes-type': 'MatchAttributes',
    attributes: { home: 'A', away: 'B' },
  };
  const sent = await send('emil', { purpose: 'push_to_start' }, { overrides: { apns: { aps } } });
  assert.deepEqual(
    sent.pushes.map(({ token }) => token),
    [start],
  );
  const pushed = bodyOf(sent)['aps'];
  assert.equal(pushed?.['attributes-type'], 'MatchAttributes');
  assert.deepEqual(pushed?.['alert'], { title: 'Ben is calling', body: 'Video call' });
});

test('a user who signed out gets no call, and neither does whoever comes next', async () => {
  const { device } = await phoneOf('fritz');
  const voip = await report(device, 'voip');
  assertAnswered(await device.signOut(), 204);
  assertAnswered(await device.signIn('gina'), 200);
  for (const user of ['fritz', 'gina']) {
    assert.deepEqual((await send(user, { purpose: 'voip' })).pushes, []);
  }
  assert.equal(network.journal.entries({ token: voip }).length, 0);
});

test('a call that is to be tried again is not sent when its user has signed out', async () => {
  const { device } = await phoneOf('hans');
  const voip = await report(device, 'voip');
  network.apns.faults.schedule({
    times: 1,
    match: { token: voip },
    fault: { kind: 'answer', status: 503, reason: 'ServiceUnavailable' },
  });
  const first = await send('hans', { purpose: 'voip' });
  assert.equal(first.report['counts']?.['retrying'], 1);
  assertAnswered(await device.signOut(), 204);
  await network.clock.advance(5_000);
  await network.drain();
  assert.deepEqual((await backEnd.report(first.id))['reasons'], { skipped: { no_token: 1 } });
  assert.equal(network.journal.entries({ token: voip }).length, 1);
});

test('a dead VoIP token says nothing of the alert token, and a new report brings it back', async () => {
  const { device } = await phoneOf('ida');
  const voip = await report(device, 'voip');
  await network.clock.advance(60_000);
  const atMs = network.clock.now().getTime();
  network.apns.devices.set(voip, { kind: 'unregistered', atMs });

  const sent = await send('ida', { purpose: 'voip' });

  assert.deepEqual(sent.report['reasons'], { failed: { token_dead: 1 } });
  assert.equal((await backEnd.installation(device.id))['status'], 'active');
  assert.match((await backEnd.timeline(device.id)).join(' '), /was retired/);
  const again = await send('ida', { purpose: 'voip' });
  assert.deepEqual(again.report['reasons'], { skipped: { no_token: 1 } });
  // Another alert token is no reason to ring for a call that is over.
  const fresh = apnsToken();
  assertAnswered(await device.sync({ token: fresh }), 200);
  await network.drain();
  assert.equal((await backEnd.report(sent.id))['counts']?.['failed'], 1);
  const next = await report(device, 'voip');
  const reached = await send('ida', { purpose: 'voip' });
  assert.deepEqual(
    reached.pushes.map(({ token }) => token),
    [next],
  );
});

test('a phone that allows no notifications still takes calls', async () => {
  const { device } = await phoneOf('jan');
  await report(device, 'voip');
  assertAnswered(await device.sync({ permission: 'denied' }), 200);
  assert.equal((await send('jan', { purpose: 'voip' })).report['counts']?.['accepted'], 1);
});

test('the dry run counts tokens for the purpose', async () => {
  const { device } = await phoneOf('kurt');
  const body = {
    audience: { users: ['kurt'] },
    content: { title: 'Call' },
    options: { purpose: 'voip' },
  };
  const validate = () => backEnd.request('POST', '/v1/notifications/validate', body);
  assert.deepEqual((await validate()).body['exclusions'], { no_token: 1 });
  await report(device, 'voip');
  assert.deepEqual((await validate()).body['recipients'], { 'apns/unknown': 1 });
});

for (const [what, options, more, pointer] of [
  ['no activity', { purpose: 'live_activity' }, { overrides: UPDATE }, '/options/activity_id'],
  ['an activity without a purpose', { activity_id: 'x' }, {}, '/options/activity_id'],
  ['everyone', { purpose: 'voip' }, { audience: { everyone: true } }, '/audience'],
  ['silence', { purpose: 'voip', silent: true }, {}, '/options/silent'],
  [
    'no event',
    { purpose: 'live_activity', activity_id: 'x' },
    { overrides: { apns: { aps: { 'content-state': {} } } } },
    '/overrides/apns/aps/event',
  ],
  [
    'no state',
    { purpose: 'live_activity', activity_id: 'x' },
    { overrides: { apns: { aps: { event: 'update' } } } },
    '/overrides/apns/aps/content-state',
  ],
  [
    'no attributes',
    { purpose: 'push_to_start' },
    { overrides: { apns: { aps: { event: 'start', 'content-state': {} } } } },
    '/overrides/apns/aps/attributes',
  ],
  [
    'a timestamp that is none',
    { purpose: 'live_activity', activity_id: 'x' },
    { overrides: { apns: { aps: { event: 'end', timestamp: 'now' } } } },
    '/overrides/apns/aps/timestamp',
  ],
] as const) {
  test(`a notification for a purpose with ${what} is refused`, async () => {
    const answer = await backEnd.request('POST', '/v1/notifications', {
      audience: { users: ['anna'] },
      content: { title: 'x', body: 'y' },
      options,
      ...more,
    });
    assertAnswered(answer, 422);
    assert.equal(answer.body['errors']?.['0']?.['pointer'], pointer);
  });
}
