import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { captureLog } from './captured-log.ts';
import { textOf } from './text-of.ts';

const REFUSED_KEY = { kind: 'answer', status: 403, reason: 'InvalidProviderToken' } as const;
const MINUTE_MS = 60_000;

const network = await startNetwork({ logger: captureLog().logger });
after(() => network[Symbol.asyncDispose]());
const { backEnd, apns, clock } = network;
assertAnswered(await network.device().register(apnsToken(), 'anna'), 201);

async function alerts(query: string) {
  const answer = await backEnd.get(`/v1/alerts${query}`);
  assertAnswered(answer, 200);
  return answer.body['data'] as unknown as readonly Readonly<Record<string, unknown>>[];
}

async function stopCredential(): Promise<void> {
  apns.faults.schedule({ times: Infinity, fault: REFUSED_KEY });
  await backEnd.sendToUsers(['anna']);
  await network.drain();
}

async function mendCredential(): Promise<void> {
  apns.faults.clear();
  clock.advance(2 * MINUTE_MS);
  await network.drain();
}

test('a refused credential opens one alert, which closes by itself when it works again', async () => {
  assert.deepEqual(await alerts('?open=true'), []);
  await stopCredential();
  clock.advance(2 * MINUTE_MS);
  await network.drain();

  const [alert, ...others] = await alerts('?open=true');
  assert.deepEqual(others, []);
  assert.match(textOf(alert?.['id']), /^alr_[0-9a-f]{32}$/);
  assert.equal(alert?.['kind'], 'credential_stopped');
  assert.match(textOf(alert?.['sentence']), /refuses a credential/);
  assert.deepEqual(alert?.['detail'], {
    provider: 'apns',
    project: 'ACMETEAM01',
    code: 'InvalidProviderToken',
  });
  const help = alert?.['help'] as Readonly<Record<string, string>>;
  assert.match(help['fix'] ?? '', /key id and team id/);
  assert.equal(help['url'], `${network.url}/reasons/apns/403/InvalidProviderToken`);

  await mendCredential();
  assert.deepEqual(await alerts('?open=true'), []);
  const [closed] = await alerts('?open=false');
  assert.equal(closed?.['id'], alert?.['id']);
  assert.equal(closed?.['closed_by'], 'recovery');
});

test('a person closes an alert once, on record; the next trouble opens another', async () => {
  await stopCredential();
  const [alert] = await alerts('?open=true');
  const close = () => backEnd.request('POST', `/v1/alerts/${textOf(alert?.['id'])}/close`);
  assert.deepEqual((await close()).body, { id: alert?.['id'], closed: true });
  assert.deepEqual((await close()).body, { id: alert?.['id'], closed: false });
  assert.deepEqual(await alerts('?open=true'), []);
  const lines = await network.homing.db<{ actor: string; after: unknown }[]>`
    select actor, after from audit where action = 'alert.close' order by audit_ref`;
  const [hint] = await network.homing.db<{ hint: string }[]>`
    select hint from api_key where kind = 'secret'`;
  assert.deepEqual(
    lines.map(({ actor, after }) => [actor, after]),
    [
      [hint?.hint, { closed: true }],
      [hint?.hint, { closed: false }],
    ],
  );

  await mendCredential();
  await stopCredential();
  const [next] = await alerts('?open=true');
  assert.notEqual(next?.['id'], alert?.['id']);
});

test('alerts are listed in pages, newest first', async () => {
  const all = await alerts('');
  assert.equal(all.length, 3);
  const first = await backEnd.get('/v1/alerts?limit=2');
  const after = textOf(first.body['page']?.['after']);
  const rest = await alerts(`?limit=2&after=${after}`);
  assert.deepEqual([...(first.body['data'] as unknown as unknown[]), ...rest], all);
  assertAnswered(await backEnd.get('/v1/alerts?after=elsewhere'), 422);
});
