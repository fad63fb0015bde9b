import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import type { Answer } from '../../../../test/answer.ts';
import { assertAnswered } from '../../../../test/answered.ts';
import { fcmToken } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from './assert-problem.ts';
import { badBackEndFields } from './bad-back-end-fields.ts';
import { badIds, badInstallationFields, badQueries, badSimpleFields } from './bad-fields.ts';
import { badEnvelopes, badJson } from './bad-json.ts';
import { badPackets } from './bad-packets.ts';
import type { BadRequest } from './bad-request.ts';
import { captureLog } from './captured-log.ts';
import { digestDatabase } from './database-digest.ts';
import { textOf } from './text-of.ts';

const log = captureLog();
const network = await startNetwork({ role: 'api', logger: log.logger });
after(() => network[Symbol.asyncDispose]());

const phone = network.device();
const held = fcmToken();
const canary = fcmToken();
assertAnswered(await phone.register(held, '42'), 201);
const notification = await network.backEnd.sendToUsers(['42']);

const places = {
  installation: `/v1/installations/${phone.id}`,
  installationId: phone.id,
  notification: `/v1/notifications/${notification}`,
  token: canary.value,
};
const groups = {
  'text that is not JSON as it should be': badJson(places),
  'wrong type, size, method or address': badEnvelopes(places),
  'registration packets with a wrong field': badPackets(places),
  'wrong fields of other client requests': badInstallationFields(places),
  'ids that cannot be ids': badIds(places),
  'wrong query parameters': badQueries(places),
  'wrong fields of the simple routes': badSimpleFields(places),
  'wrong fields of back ends': badBackEndFields(phone.id),
} satisfies Record<string, readonly BadRequest[]>;

/** What no answer and no log line may hold. */
const secrets = [phone.secret, network.app.secretKey, network.app.publishableKey, canary.value];

async function send(bad: BadRequest): Promise<{ readonly answer: Answer; readonly text: string }> {
  const { body } = bad;
  const isRaw = body === undefined || typeof body === 'string' || body instanceof Uint8Array;
  const bytes = isRaw ? body : JSON.stringify(body);
  const key = bad.as === 'client' ? network.app.publishableKey : network.app.secretKey;
  const response = await fetch(network.url + bad.path, {
    method: bad.method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(bad.as === 'client' && { 'homing-installation-secret': phone.secret }),
      ...(bytes !== undefined && { 'content-type': 'application/json' }),
      ...bad.headers,
    },
    ...(bytes !== undefined && { body: bytes as string | Uint8Array<ArrayBuffer> }),
  });
  const text = await response.text();
  const { status, headers } = response;
  const isJson = headers.get('content-type')?.includes('json') ?? false;
  return { answer: { status, headers, body: isJson ? JSON.parse(text) : text }, text };
}

let cases = 0;
for (const [title, requests] of Object.entries(groups)) {
  test(`refuses ${title}: ${requests.length} requests, nothing written, nothing given away`, async (t) => {
    let before = await digestDatabase(network.homing.db);
    for (const bad of requests) {
      cases += 1;
      await t.test(bad.title, async () => {
        const { answer, text } = await send(bad);
        const state = before;
        before = await digestDatabase(network.homing.db);
        assertProblem(answer, bad.code, bad.pointer);
        for (const secret of secrets) assert.ok(!text.includes(secret), `given away: ${text}`);
        assert.equal(before, state);
      });
    }
  });
}

test('the log of all that holds no token, no key and no secret', (t) => {
  t.diagnostic(`${cases} bad requests`);
  assert.ok(cases > 120);
  for (const secret of [...secrets, held.value]) assert.ok(!log.text().includes(secret));
  assert.ok(!log.text().includes('request failed'), log.text());
});

test('the answer to a short body that is not JSON does not quote it', async () => {
  for (const text of [
    '{"p":"hush"',
    '{"p":"hush",}',
    '"hush',
    '{"p":"hush" x}',
    'hush',
    '{hush}',
  ]) {
    const answer = await network.backEnd.request('POST', '/v1/notifications', text);
    assertProblem(answer, 'invalid_request');
    assert.doesNotMatch(JSON.stringify(answer.body), /hush/);
  }
});

test('the refusal of a key that stands twice names it, wherever it stands', async () => {
  const body = '{"token":{"value":"x:{\\"value\\":"},"tags":[{"a \\" b":1},{"c":2,"\\u0063":"c"}]}';
  const { answer } = await send({
    title: 'a key that stands twice',
    method: 'PUT',
    path: places.installation,
    as: 'client',
    body,
    code: 'invalid_request',
  });
  assertProblem(answer, 'invalid_request');
  assert.equal(answer.body['detail'], 'the key "c" stands twice in one object');
});

test('an unknown provider is answered with those that are known', async () => {
  const answer = await phone.sync({ token: { provider: 'sms', value: 'x' } });
  assertProblem(answer, 'validation_failed', '/token/provider');
  assert.match(
    textOf(answer.body['detail']),
    /^\/token\/provider: .*apns, fcm, webpush, expo, hms/,
  );
});

test('a packet of 1,000 keys and a body of 20 levels are still read', async () => {
  const deep = `${'['.repeat(18)}${']'.repeat(18)}`;
  const attributes = Object.fromEntries(
    Array.from({ length: 199 }, (_, index) => [`a${index}`, 1]),
  );
  const body = `{"attributes":${JSON.stringify(attributes).slice(0, -1)},"deep":${deep}}}`;
  assertAnswered(await network.backEnd.request('PUT', '/v1/users/deep', body), 200);
});
