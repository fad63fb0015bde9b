import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startNetwork, type Network } from '../../../test/network.ts';
import { createHoming, HomingError, type Homing, type HomingOptions } from '../src/index.ts';

let network: Network;
before(async () => {
  network = await startNetwork({ role: 'api' });
});
after(() => network[Symbol.asyncDispose]());

type Weather = (attempt: number, signal: AbortSignal) => Response | Promise<Response> | null;

/** What was asked, in order: the idempotency key of each attempt. */
interface Watched {
  readonly homing: Homing;
  readonly keys: readonly (string | null)[];
}

/** The real server behind something that answers in its place, or not (null). */
function behind(weather: Weather, options: Partial<HomingOptions> = {}): Watched {
  const keys: (string | null)[] = [];
  const homing = createHoming({
    baseUrl: network.url,
    secretKey: network.app.secretKey,
    fetch: async (url, init) => {
      keys.push(new Headers(init.headers).get('idempotency-key'));
      const { signal } = new Request(url, { method: 'GET', signal: init.signal ?? null });
      return (await weather(keys.length, signal)) ?? fetch(url, init);
    },
    ...options,
  });
  return { homing, keys };
}

function turnedAway(status: number, headers: Record<string, string>): Response {
  return Response.json(
    { code: status === 429 ? 'rate_limited' : 'draining', detail: 'later', status },
    { status, headers: { 'content-type': 'application/problem+json', ...headers } },
  );
}

/** No answer, until the request is given up. */
function silence(signal: AbortSignal): Promise<Response> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

async function failureOf(promise: Promise<unknown>): Promise<HomingError> {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof HomingError, String(error));
  return error;
}

const send = { audience: { users: ['42'] }, content: { title: 'Hello' } };

test('429 and 503 are waited out as long as Retry-After says, under one key', async () => {
  const answers = [
    turnedAway(429, { 'retry-after': '1' }),
    turnedAway(503, { 'retry-after': new Date(Date.now() - 1_000).toUTCString() }),
  ];
  const { homing, keys } = behind((attempt) => answers[attempt - 1] ?? null);
  const startedMs = performance.now();

  const { status } = await homing.notifications.send(send);

  assert.equal(status, 'accepted');
  assert.ok(performance.now() - startedMs >= 1_000);
  assert.equal(keys.length, 3);
  assert.match(keys[0] ?? '', /^[0-9a-f-]{36}$/);
  assert.deepEqual(new Set(keys).size, 1);
});

test('a server that wants to be left alone for longer than there is time fails at once', async () => {
  const { homing, keys } = behind(() => turnedAway(503, { 'retry-after': '3600' }));

  const error = await failureOf(homing.app.get({ timeoutMs: 5_000 }));

  assert.deepEqual([error.code, error.status, keys.length], ['draining', 503, 1]);
});

test('what another moment may change is repeated; a POST too, for it has a key', async () => {
  const { homing, keys } = behind((attempt) => {
    if (attempt === 1) throw new TypeError('fetch failed');
    return attempt === 2 ? new Response('bad gateway', { status: 502 }) : null;
  });

  await homing.notifications.send(send, { idempotencyKey: 'shipped:7001' });

  assert.deepEqual(keys, ['shipped:7001', 'shipped:7001', 'shipped:7001']);
});

test('a change of settings is repeated only when the server did nothing', async () => {
  const turned = behind((attempt) =>
    attempt === 1 ? turnedAway(503, { 'retry-after': '0' }) : null,
  );
  assert.equal((await turned.homing.app.update({ name: 'Acme' })).name, 'Acme');
  assert.equal(turned.keys.length, 2);

  const broken = behind(() => new Response('bad gateway', { status: 502 }));
  const error = await failureOf(broken.homing.app.update({ name: 'Acme' }));
  assert.deepEqual([error.code, error.status], ['unexpected_answer', 502]);
  assert.equal(broken.keys.length, 1);
});

test('what is wrong with the request itself is not repeated', async () => {
  const { homing, keys } = behind(() => null);

  const error = await failureOf(homing.notifications.send({ ...send, category: 'no spaces' }));

  assert.deepEqual([error.code, error.status, keys.length], ['validation_failed', 422, 1]);
  assert.deepEqual(
    error.errors.map(({ pointer }) => pointer),
    ['/category'],
  );
  assert.equal(error.problem?.instance, error.requestId);
});

test('repetitions end, and none are made where none are wanted', async () => {
  const twice = behind(() => new Response('', { status: 500 }), { retries: 2 });
  assert.equal((await failureOf(twice.homing.app.get())).status, 500);
  assert.equal(twice.keys.length, 3);

  const never = behind(() => new Response('', { status: 500 }), { retries: 0 });
  assert.equal((await failureOf(never.homing.app.get())).status, 500);
  assert.equal(never.keys.length, 1);
});

test('an attempt that gets no answer leaves time for the next one', async () => {
  const { homing, keys } = behind((attempt, signal) => (attempt === 1 ? silence(signal) : null), {
    attemptTimeoutMs: 500,
  });

  const { id } = await homing.app.get();

  assert.equal(id, network.app.id);
  // A busy server may have been too slow as well.
  assert.ok(keys.length >= 2);
});

test('the deadline of a call holds, pauses and repetitions included', async () => {
  const { homing } = behind((_attempt, signal) => silence(signal));
  const error = await failureOf(homing.app.get({ timeoutMs: 200 }));
  assert.deepEqual([error.code, error.status], ['timed_out', null]);
});

test("the caller's signal ends an attempt, a pause, and what has not begun", async () => {
  const reason = new Error('the visitor left');
  const attempt = new AbortController();
  const waiting = behind((_attempt, signal) => {
    setImmediate(() => attempt.abort(reason));
    return silence(signal);
  });
  await assert.rejects(waiting.homing.app.get({ signal: attempt.signal }), reason);

  const pause = new AbortController();
  const resting = behind(() => {
    setImmediate(() => pause.abort(reason));
    return turnedAway(503, { 'retry-after': '30' });
  });
  await assert.rejects(resting.homing.app.get({ signal: pause.signal }), reason);
  assert.equal(resting.keys.length, 1);

  const never = behind(() => null);
  await assert.rejects(never.homing.app.get({ signal: AbortSignal.abort(reason) }), reason);
  assert.equal(never.keys.length, 0);
});

test('a request that still runs under the same key is awaited', async () => {
  const running = { code: 'idempotency_running', detail: 'wait', status: 409 };
  const { homing, keys } = behind((attempt) =>
    attempt > 2
      ? null
      : Response.json(running, {
          status: 409,
          headers: { 'content-type': 'application/problem+json' },
        }),
  );
  assert.equal((await homing.notifications.send(send)).status, 'accepted');
  assert.equal(keys.length, 3);
});

test('a key in the body counts, and one in the options goes before it', async () => {
  const { homing, keys } = behind(() => null);
  const input = { ...send, idempotency_key: 'of-the-body' };

  const first = await homing.notifications.send(input);
  const second = await homing.notifications.send(input);
  const third = await homing.notifications.send(input, { idempotencyKey: 'of-the-options' });

  assert.deepEqual(keys, ['of-the-body', 'of-the-body', 'of-the-options']);
  assert.equal(second.id, first.id);
  assert.notEqual(third.id, first.id);
});

/** An answer that begins with a text and then breaks off, as when a connection is lost. */
function brokenAfter(text: string): Response {
  const pieces = [new TextEncoder().encode(text)];
  const body = new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) controller.error(new TypeError('terminated'));
      else controller.enqueue(piece);
    },
  });
  return new Response(body);
}

test('an answer that breaks off is asked for again', async () => {
  const { homing, keys } = behind((attempt) => (attempt === 1 ? brokenAfter('{"id": "a') : null));
  assert.equal((await homing.app.get()).id, network.app.id);
  assert.equal(keys.length, 2);
});

test('a stream that breaks off is told from one that ends', async () => {
  const { homing, keys } = behind(() => brokenAfter('{"state": "accepted"}\n{"state": "fai'));
  const states: string[] = [];

  const error = await failureOf(
    (async () => {
      for await (const { state } of homing.notifications.deliveries('ntf_1')) states.push(state);
    })(),
  );

  assert.deepEqual([error.code, states, keys.length], ['no_answer', ['accepted'], 1]);
});

test('a stream that is not of Homing is told like any other answer that is not', async () => {
  for (const text of ['<html>\n', '{"state": "accepted"}\n{"state": "acc']) {
    const { homing } = behind(() => new Response(text));
    const deliveries = homing.notifications.deliveries('ntf_1');
    const error = await failureOf(Array.fromAsync(deliveries));
    assert.deepEqual([error.code, error.status], ['unexpected_answer', 200]);
  }
});

test('a redirection is not followed, and said', async () => {
  const { homing, keys } = behind(
    () => new Response(null, { status: 301, headers: { location: 'https://shop.example/' } }),
  );
  const error = await failureOf(homing.notifications.send(send));
  assert.equal(error.code, 'unexpected_answer');
  assert.match(error.detail, /^HTTP 301, which leads to https:\/\/shop\.example\/,/);
  assert.equal(keys.length, 1);
});
