import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { SimpleClient } from './simple-client.ts';

const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const { backEnd, homing } = network;
const { db } = homing;

interface AuditLine {
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly request_id: string | null;
}

async function linesAfter(work: () => Promise<void>): Promise<readonly AuditLine[]> {
  const [last] = await db<{ ref: number }[]>`
    select coalesce(max(audit_ref), 0)::bigint as ref from audit`;
  await work();
  return db<AuditLine[]>`
    select actor, action, subject, request_id from audit where audit_ref > ${last?.ref ?? 0}
    order by audit_ref`;
}

async function write(method: string, path: string, body?: unknown): Promise<void> {
  const { status } = await backEnd.request(method, path, body);
  assert.ok(status < 300, `${method} ${path}: ${status}`);
}

async function lastDays(kind: string): Promise<readonly (string | null)[]> {
  const rows = await db<{ day: string | null }[]>`
    select last_used_on as day from api_key where kind = ${kind} order by key_ref`;
  return rows.map(({ day }) => day);
}

test('every write by a secret key is on record: who, what, and on what', async () => {
  const id = randomUUID();
  const path = `/v1/installations/${id}`;
  const lines = await linesAfter(async () => {
    await write('PUT', path, { token: apnsToken(), user: { id: 'anna-the-person' } });
    await write('PUT', `${path}/preferences`, { mode: 'off' });
    await write('PUT', `${path}/topics/news`, { scope: 'device' });
    await write('PUT', `${path}/purpose-tokens/voip`, { value: '0e'.repeat(32) });
    await write('DELETE', `${path}/user`);
    await write('PUT', '/v1/users/anna-the-person', { locale: 'de' });
    await write('PUT', '/v1/users/anna-the-person/topics/news');
    await write('POST', '/v1/users/anna-the-person/revoke', {});
    const notification = await backEnd.sendToUsers(['anna-the-person']);
    await write('POST', `/v1/notifications/${notification}/pause`);
    await write('POST', `/v1/notifications/${notification}/resume`);
    await write('POST', `/v1/notifications/${notification}/cancel`);
    await write('DELETE', path);
    await write('DELETE', '/v1/users/anna-the-person');
  });
  assert.deepEqual(
    lines.map(({ action }) => action),
    [
      'installation.sync',
      'installation.preferences',
      'installation.topic',
      'installation.purpose_token',
      'installation.logout',
      'user.change',
      'user.subscribe',
      'user.revoke',
      'notification.create',
      'notification.pause',
      'notification.resume',
      'notification.cancel',
      'installation.remove',
      'user.erase',
    ],
  );
  for (const line of lines) {
    assert.equal(line.actor.slice(-4), network.app.secretKey.slice(-4));
    assert.match(line.subject, /^(installation|user|notification)\/\d+$/);
    assert.ok(line.request_id);
  }
  const [rows] = await db<{ text: string }[]>`select string_agg(a::text, ' ') as text from audit a`;
  assert.ok(!rows?.text.includes('anna-the-person'));
});

test('a secret key on a simple route is on record as well, devices and users are not', async () => {
  const client = new SimpleClient(network.url, network.app);
  const lines = await linesAfter(async () => {
    const phone = network.device();
    assertAnswered(await phone.register(apnsToken(), 'ben'), 201);
    assertAnswered(await phone.signOut(), 204);
    const body = { token: fcmToken().value, deviceId: 'd1', userId: 'ben' };
    const proof = await network.issuer.sign(network.app.id, 'ben');
    assertAnswered(await client.register(body, proof), 200);
    assertAnswered(await client.register(body, network.app.secretKey), 200);
    assertAnswered(await client.delete(body.token, network.app.secretKey), 200);
  });
  assert.deepEqual(
    lines.map(({ action }) => action),
    ['installation.sync', 'installation.logout'],
  );
});

test('the last day on which a key opened something is on record', async () => {
  const app = await network.provision({ name: 'Fresh' });
  const get = (key: string) =>
    fetch(`${network.url}/v1/installations`, { headers: { authorization: `Bearer ${key}` } });
  const today = network.clock.now().toISOString().slice(0, 10);
  assert.deepEqual(await lastDays('secret'), [today, null]);
  assert.equal((await get(app.secretKey)).status, 200);
  assert.deepEqual(await lastDays('secret'), [today, today]);
  network.clock.advance(86_400_000);
  assert.equal((await get(app.secretKey)).status, 200);
  const tomorrow = network.clock.now().toISOString().slice(0, 10);
  assert.ok((await lastDays('secret')).includes(tomorrow));
});
