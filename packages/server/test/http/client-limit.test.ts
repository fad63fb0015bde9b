import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { request } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { createRateLimiter } from '../../src/access/rate-limiter.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
// Every test begins with full buckets.
beforeEach(() => network.clock.advance(600_000));

async function enrolled(): Promise<Device> {
  const phone = network.device();
  assertAnswered(await phone.register(apnsToken()), 201);
  return phone;
}

async function statusesOf(count: number, send: (index: number) => Promise<{ status: number }>) {
  const answers = await Promise.all(Array.from({ length: count }, (_, index) => send(index)));
  return answers.map(({ status }) => status);
}

test('wrong secrets use up what their address may do, and nothing of the installation', async () => {
  const phone = await enrolled();
  const headers = {
    authorization: `Bearer ${network.app.publishableKey}`,
    'homing-installation-secret': 'A'.repeat(43),
  };
  const url = `${network.url}/v1/installations/${phone.id}`;
  const statuses = await statusesOf(320, () =>
    request(url, { method: 'PUT', body: { seq: 1 }, headers }),
  );
  assert.deepEqual(new Set(statuses), new Set([401, 429]));
  assertAnswered(await phone.sync({ token: apnsToken() }), 200);
});

test('an address enrols 300 installations at once and then 30 a minute', async () => {
  const statuses = await statusesOf(310, () => network.device().sync({ device: { label: 'x' } }));
  assert.ok(statuses.filter((status) => status === 201).length >= 300);
  assert.ok(statuses.includes(429));
  network.clock.advance(60_000);
  const later = await statusesOf(40, () => network.device().sync({ device: { label: 'x' } }));
  const enrolments = later.filter((status) => status === 201).length;
  assert.ok(enrolments >= 30 && enrolments < 40, String(enrolments));
});

for (const [what, write] of Object.entries({
  registrations: (phone: Device, seq: number) => phone.sync({ seq, device: { label: 'x' } }),
  preferences: (phone: Device, seq: number) =>
    phone.request('PUT', `/preferences?seq=${seq}`, { mode: 'on' }),
  topics: (phone: Device, seq: number) =>
    phone.request('PUT', `/topics/news?seq=${seq}`, { scope: 'device' }),
  'purpose tokens': (phone: Device, seq: number) =>
    phone.request('PUT', `/purpose-tokens/voip?seq=${seq}`, { value: '0d'.repeat(32) }),
  receipts: (phone: Device) =>
    phone.request('POST', '/receipts', {
      receipts: [{ notification_id: 'ntf_x', kind: 'opened', at: '2026-01-01T00:00:00Z' }],
    }),
})) {
  test(`a flood of ${what} is slowed down; leaving never is`, async () => {
    const phone = await enrolled();
    const statuses = await statusesOf(330, (index) => write(phone, index + 2));
    assert.deepEqual(new Set(statuses), new Set([200, 429]));
    assertAnswered(await phone.request('DELETE', '/topics/news?seq=901'), 200);
    assertAnswered(await phone.request('DELETE', '/user?seq=901'), 204);
    assertAnswered(await phone.request('DELETE', ''), 204);
  });
}

test('a full limiter forgets whom it did not see for the longest time, and nobody else', () => {
  const limiter = createRateLimiter({ burst: 1, perMinute: 1 }, 2);
  const now = new Date(0);
  assert.equal(limiter.take('a', now), 0);
  assert.equal(limiter.take('b', now), 0);
  assert.ok(limiter.take('a', now) > 0);
  assert.equal(limiter.take('c', now), 0);
  assert.ok(limiter.take('a', now) > 0);
  assert.equal(limiter.take('b', now), 0);
});
