import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { request, type AnswerBody } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { BackEnd } from '../../../../test/back-end.ts';
import { apnsToken, Device, fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { textOf } from './text-of.ts';

const network = await startNetwork();
after(() => network[Symbol.asyncDispose]());
const { backEnd } = network;

interface Reason {
  readonly source: string;
  readonly provider: string | null;
  readonly status: string;
  readonly code: string;
  readonly kind: string;
  readonly meaning: string;
  readonly fix: string;
  readonly url: string;
}

async function reasons(query = ''): Promise<readonly Reason[]> {
  const answer = await request(`${network.url}/v1/reasons${query}`);
  assertAnswered(answer, 200);
  return answer.body['data'] as unknown as readonly Reason[];
}

interface CatalogueRow {
  readonly provider: string;
  readonly status: number | string | null;
  readonly code: string;
}

const catalogue = JSON.parse(
  readFileSync(new URL('../data/provider-errors.json', import.meta.url), 'utf8'),
) as readonly CatalogueRow[];

test('every answer in the catalogue of a provider that is served has its reason, with a fix', async () => {
  const all = await reasons();
  const sources = new Set(all.map(({ source }) => source));
  assert.ok(['apns', 'fcm', 'google-oauth', 'homing'].every((source) => sources.has(source)));
  const shown = new Set(all.map(({ source, status, code }) => `${source} ${status} ${code}`));
  for (const { provider, status, code } of catalogue) {
    if (status === null || !sources.has(provider)) continue;
    assert.ok(shown.has(`${provider} ${status} ${code}`), `${provider} ${status} ${code}`);
  }
  for (const { meaning, fix, code } of all) {
    assert.match(meaning, /^[^.]*[^.]$/, code);
    assert.match(fix, /^[A-Z].*\.$/, code);
  }
});

test('the reasons of a provider include those of where it gets its tokens', async () => {
  const sources = new Set((await reasons('?provider=fcm')).map(({ source }) => source));
  assert.deepEqual(sources, new Set(['fcm', 'google-oauth']));
  const own = await reasons('?provider=google-oauth');
  assert.ok(own.every(({ source, provider }) => source === 'google-oauth' && provider === 'fcm'));
  assert.deepEqual(await reasons('?provider=pigeon'), []);
});

test('each reason has a page that says what to do', async () => {
  for (const { url, fix } of await reasons()) {
    const page = await fetch(url);
    assert.equal(page.status, 200, url);
    assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
    const words = fix.split(/['`"]/)[0] ?? '';
    assert.ok((await page.text()).includes(words), url);
  }
  for (const path of ['apns/410/Nonsense', 'apns/400/Unregistered', 'x/constructor/__proto__']) {
    assertAnswered(await request(`${network.url}/reasons/${path}`), 404);
  }
});

async function helpOf(id: string): Promise<AnswerBody | undefined> {
  const [delivery] = await backEnd.deliveries(id);
  const explained = await backEnd.get(`/v1/notifications/${id}/explain?user_id=anna`);
  assertAnswered(explained, 200);
  assert.deepEqual(explained.body['installations']?.['0']?.['help'], delivery?.['help']);
  return delivery?.['help'];
}

test('a delivery that failed says what its code means, what to do and where to read on', async () => {
  const token = apnsToken();
  assertAnswered(await network.device().register(token, 'anna'), 201);
  network.apns.devices.set(token.value, { kind: 'other_topic' });
  const id = await backEnd.sendToUsers(['anna']);
  await network.drain();
  const help = await helpOf(id);
  assert.equal(help?.['meaning'], 'the token belongs to another bundle id');
  assert.match(textOf(help?.['fix']), /bundle id/);
  assert.equal(help?.['url'], `${network.url}/reasons/apns/400/DeviceTokenNotForTopic`);
});

test('an answer that nobody knows leads to the row of its kind', async () => {
  const app = await network.provision();
  const token = fcmToken();
  assertAnswered(await new Device(network.url, app, network.issuer).register(token, 'ben'), 201);
  const fault = { kind: 'answer', status: 400, reason: 'NEW_REASON' } as const;
  network.fcm.faults.schedule({ times: 1, match: { token: token.value }, fault });
  const other = new BackEnd(network.url, app.secretKey);
  const id = await other.sendToUsers(['ben']);
  await network.drain();
  const [delivery] = await other.deliveries(id);
  assert.equal(delivery?.['help']?.['url'], `${network.url}/reasons/fcm/400/*`);
});

test('what was accepted needs no help', async () => {
  const token = fcmToken();
  assertAnswered(await network.device().register(token, 'carla'), 201);
  const id = await backEnd.sendToUsers(['carla']);
  await network.drain();
  assert.equal((await backEnd.deliveries(id))[0]?.['help'], null);
});
