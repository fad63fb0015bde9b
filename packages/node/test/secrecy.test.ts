import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { inspect } from 'node:util';
import { startNetwork, type Network } from '../../../test/network.ts';
import { createHoming, type Homing, type HomingOptions } from '../src/index.ts';

let network: Network;
before(async () => {
  network = await startNetwork({ role: 'api' });
});
after(() => network[Symbol.asyncDispose]());

/** All that a log could show of a value, hidden members and causes included. */
function everythingOf(value: unknown): string {
  const options = { depth: 20, showHidden: true, getters: true } as const;
  const stack = value instanceof Error ? `${value.stack} ${value.message}` : '';
  return `${inspect(value, options)} ${JSON.stringify(value)} ${stack}`;
}

/** A way to the network that tells in its errors what it was to send. */
function talkative(_url: string, init: RequestInit): never {
  const { authorization } = init.headers as Record<string, string>;
  throw new Error(`cannot send ${authorization}`, { cause: init });
}

test('no failure, and not the SDK itself, shows the key', async () => {
  const { secretKey } = network.app;
  const at = (options: Partial<HomingOptions>): Homing =>
    createHoming({ baseUrl: network.url, secretKey, retries: 0, ...options });
  const calls: readonly (() => Promise<unknown>)[] = [
    () => at({}).notifications.get('ntf_none'),
    () => at({ baseUrl: 'http://127.0.0.1:1' }).app.get(),
    () => at({ fetch: talkative }).app.get(),
    () => at({ fetch: async () => new Response('<html>', { status: 502 }) }).app.get(),
    () => at({ fetch: async () => new Response('<html>') }).app.get(),
    () => at({ secretKey: `${secretKey.slice(0, -4)}0000` }).app.get(),
    () => at({}).app.get({ timeoutMs: 0 }),
  ];
  for (const call of calls) {
    const failure: unknown = await call().then(
      () => assert.fail('went well'),
      (error: unknown) => error,
    );
    assert.ok(!everythingOf(failure).includes(secretKey.slice(12)), everythingOf(failure));
    assert.ok(!everythingOf(failure).includes(secretKey.slice(0, -4).slice(12)));
  }
  assert.ok(!everythingOf(at({})).includes(secretKey.slice(12)));
});

test('options that cannot work are refused at once, without being shown', () => {
  const good = { baseUrl: 'https://push.example.com', secretKey: 'hmg_sk_test_a1' };
  const wrong: readonly [Partial<Record<keyof HomingOptions, unknown>>, RegExp][] = [
    [{ secretKey: 'hmg_pk_hunter2' }, /^secretKey has to be the secret key/],
    [{ secretKey: 'hmg_sk_test_hunter2\n' }, /^secretKey/],
    [{ secretKey: undefined }, /^secretKey/],
    [{ baseUrl: 'push.example.com' }, /^baseUrl/],
    [{ baseUrl: 'ftp://push.example.com' }, /^baseUrl/],
    [{ baseUrl: 'https://me:hunter2@push.example.com' }, /^baseUrl/],
    [{ baseUrl: 'https://push.example.com/?a=hunter2' }, /^baseUrl/],
    [{ timeoutMs: -1 }, /^timeoutMs/],
    [{ timeoutMs: 2 ** 31 }, /^timeoutMs/],
    [{ attemptTimeoutMs: Number.NaN }, /^attemptTimeoutMs/],
    [{ retries: 1.5 }, /^retries/],
  ];
  for (const [option, message] of wrong) {
    assert.throws(
      () => createHoming({ ...good, ...option } as HomingOptions),
      (error) =>
        error instanceof TypeError && message.test(error.message) && !/hunter2/.test(error.message),
    );
  }
  assert.ok(createHoming(good));
});

test('what cannot be sent is a rejection like any other failure', async () => {
  const homing = createHoming({ baseUrl: network.url, secretKey: network.app.secretKey });
  const around: Record<string, unknown> = {};
  around['self'] = around;
  const content = { title: 'Hello' };
  const sent = homing.notifications.send({
    audience: { users: ['42'] },
    content,
    variables: around,
  });
  await assert.rejects(sent, TypeError);
});

test('an idempotency key that could not stand in a header is refused', async () => {
  const homing = createHoming({ baseUrl: network.url, secretKey: network.app.secretKey });
  for (const idempotencyKey of ['', ' ', 'é', 'a\nb', 'x'.repeat(256)]) {
    await assert.rejects(homing.reviews.create({ idempotencyKey }), /^TypeError: idempotencyKey/);
  }
});
