import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { SendOptions } from '../../src/providers/provider.ts';
import { EncryptionPool } from '../../src/providers/webpush/encryption-pool.ts';
import type { PlainMessage } from '../../src/providers/webpush/message-encryption.ts';
import { WebPushUserAgent } from './web-push-user-agent.ts';

describe('the threads that encrypt', () => {
  it('are started for whoever comes while others are ended before they were ready', async () => {
    const pool = new EncryptionPool({ threads: 1, leastBatch: 1 });
    const ended = pool.hold()[Symbol.asyncDispose]();
    await using stack = new AsyncDisposableStack();
    stack.use(pool.hold());
    await ended;
    const [isStarted] = await Promise.race([
      pool.started().then(() => [true]),
      once(AbortSignal.timeout(10_000), 'abort').then(() => [false]),
    ]);
    assert.ok(isStarted, 'no thread was started');
  });

  it('get nothing while they are being ended', async () => {
    const pool = new EncryptionPool({ threads: 2, leastBatch: 1 });
    const former = pool.hold();
    await pool.started();
    const ended = former[Symbol.asyncDispose]();
    await using stack = new AsyncDisposableStack();
    stack.use(pool.hold());
    const { agent, message } = plainMessage();
    // There is no time for a thread to be started.
    const bodies = await pool.encrypt([message], before(1));
    assert.ok(bodies !== null);
    assert.equal(agent.decrypt(bodies[0] ?? Buffer.alloc(0)).plaintext.toString(), 'x');
    await ended;
  });

  it('give back a batch whose time was up before one was free', async () => {
    const pool = new EncryptionPool({ threads: 1, leastBatch: 1 });
    await using stack = new AsyncDisposableStack();
    stack.use(pool.hold());
    await pool.started();
    const { agent, message } = plainMessage();
    const first = pool.encrypt([message], before(60_000));
    const late = pool.encrypt([message], before(-1));
    const [bodies, none] = await Promise.all([first, late]);
    assert.equal(none, null);
    assert.equal(agent.decrypt(bodies?.[0] ?? Buffer.alloc(0)).plaintext.toString(), 'x');
  });

  it('let nothing wait that is late or not wanted any more', { timeout: 20_000 }, async () => {
    const pool = new EncryptionPool({ threads: 1, leastBatch: 1 });
    await using stack = new AsyncDisposableStack();
    stack.use(pool.hold());
    await pool.started();
    const { message } = plainMessage();
    // The only thread is busy for a while.
    const long = pool.encrypt(
      Array.from({ length: 1_000 }, () => message),
      before(60_000),
    );
    let isLongDone = false;
    const longDone = long.then((bodies) => {
      isLongDone = true;
      return bodies;
    });
    const controller = new AbortController();
    const unwanted = pool.encrypt([message], before(60_000, controller.signal));
    const late = pool.encrypt([message], before(50));
    const calledOff = pool.encrypt([message], before(60_000, AbortSignal.abort()));
    controller.abort();
    assert.deepEqual(await Promise.all([unwanted, late, calledOff]), [null, null, null]);
    assert.ok(!isLongDone, 'they have waited for the thread');
    assert.equal((await longDone)?.length, 1_000);
  });

  it('are replaced when they die, and their batch is done by another', async () => {
    const pool = new EncryptionPool({ threads: 1, leastBatch: 1 });
    await using stack = new AsyncDisposableStack();
    stack.use(pool.hold());
    await pool.started();
    const { message: good } = plainMessage();
    // Padding that shortens is a mistake that no caller makes; a thread dies of it.
    const fatal = { ...good, plaintext: Buffer.alloc(300) };
    const [bad, after] = await Promise.allSettled([
      pool.encrypt([fatal], before(60_000)),
      pool.encrypt([good, good], before(60_000)),
    ]);
    assert.ok(bad.status === 'rejected' && after.status === 'fulfilled');
    assert.equal(after.value?.length, 2);
  });
});

function before(ms: number, signal = new AbortController().signal): SendOptions {
  return { startBefore: performance.now() + ms, signal };
}

function plainMessage(): { readonly agent: WebPushUserAgent; readonly message: PlainMessage } {
  const agent = new WebPushUserAgent();
  const p256dh = Buffer.from(agent.keys.p256dh, 'base64url');
  const plaintext = Buffer.from('x');
  return { agent, message: { plaintext, paddedBytes: 256, p256dh, auth: agent.auth } };
}
