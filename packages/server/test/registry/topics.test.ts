import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { assertAnswered } from '../../../../test/answered.ts';
import { apnsToken, type Device } from '../../../../test/device.ts';
import { startNetwork } from '../../../../test/network.ts';
import { assertProblem } from '../http/assert-problem.ts';

/** Topics and preferences are ordered like everything that a client says. */
const network = await startNetwork({ role: 'api' });
after(() => network[Symbol.asyncDispose]());
const DEVICE = { scope: 'device' };

async function enrolled(): Promise<Device> {
  const phone = network.device();
  assertAnswered(await phone.register(apnsToken(), 'anna'), 201);
  return phone;
}

function put(phone: Device, topic: string, seq: number, body: object = DEVICE) {
  return phone.request('PUT', `/topics/${topic}?seq=${seq}`, body);
}

async function topicsOf(phone: Device): Promise<unknown> {
  const topics = (await network.backEnd.installation(phone.id))['topics'];
  return (topics as unknown as readonly { topic: string }[]).map(({ topic }) => topic);
}

test('the same request about a topic again gets the same answer', async () => {
  const phone = await enrolled();
  for (let repetition = 0; repetition < 2; repetition += 1) {
    assert.deepEqual((await put(phone, 'news', 5)).body, { applied: true, seq: 5 });
  }
  for (let repetition = 0; repetition < 2; repetition += 1) {
    const ended = await phone.request('DELETE', '/topics/news?seq=6');
    assert.deepEqual(ended.body, { applied: true, seq: 6 });
  }
  assert.deepEqual(await topicsOf(phone), []);
});

test('a late request about a topic changes nothing, also after its end', async () => {
  const phone = await enrolled();
  assertAnswered(await phone.request('DELETE', '/topics/news?seq=8'), 200);
  assert.deepEqual((await put(phone, 'news', 7)).body, { applied: false, seq: 8 });
  assert.deepEqual(await topicsOf(phone), []);
});

test('two topics may overtake each other, and share a sequence', async () => {
  const phone = await enrolled();
  assert.equal((await put(phone, 'b', 12)).body['applied'], true);
  assert.equal((await put(phone, 'a', 11)).body['applied'], true);
  assert.equal((await put(phone, 'c', 12)).body['applied'], true);
  assert.deepEqual(await topicsOf(phone), ['a', 'b', 'c']);
  const { seq } = (await network.backEnd.installation(phone.id)) as { seq?: { topics?: unknown } };
  assert.equal(seq?.topics, 12);
});

test('one sequence with two contents is a fork', async () => {
  const phone = await enrolled();
  assertAnswered(await put(phone, 'news', 5), 200);
  const forked = await put(phone, 'news', 5, { scope: 'user', user_id: 'anna' });
  assertProblem(forked, 'installation_forked');
  const ended = await phone.request('DELETE', '/topics/news?seq=5');
  assertProblem(ended, 'installation_forked');
  const prefer = (mode: string) => phone.request('PUT', '/preferences?seq=5', { mode });
  assert.equal((await prefer('on')).body['applied'], true);
  assert.equal((await prefer('on')).body['applied'], true);
  assertProblem(await prefer('off'), 'installation_forked');
});

test("a user's topic that comes again after the logout is superseded", async () => {
  const phone = await enrolled();
  const body = { scope: 'user', user_id: 'anna' };
  assert.equal((await put(phone, 'orders', 5, body)).body['applied'], true);
  assertAnswered(await phone.signOut(), 204);
  assert.equal((await put(phone, 'orders', 5, body)).body['applied'], false);
});

test('a client has to say the order of what it says', async () => {
  const phone = await enrolled();
  for (const [method, path, body] of [
    ['PUT', '/topics/news', DEVICE],
    ['DELETE', '/topics/news', undefined],
    ['PUT', '/preferences', { mode: 'off' }],
    ['PUT', '/purpose-tokens/voip', { value: apnsToken().value }],
    ['DELETE', '/purpose-tokens/voip', undefined],
  ] as const) {
    assertProblem(await phone.request(method, path, body), 'validation_failed', '/querystring/seq');
  }
});

test('subscribing again to one of the most topics there may be is no new one', async () => {
  const phone = await enrolled();
  for (let index = 0; index < 200; index += 1) {
    assertAnswered(await put(phone, `topic-${index}`, index + 1), 200);
  }
  assertAnswered(await put(phone, 'topic-7', 300), 200);
  assertProblem(await put(phone, 'one-more', 301), 'validation_failed', '/topic');
});
