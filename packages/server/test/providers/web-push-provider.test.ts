import assert from 'node:assert/strict';
import { createPublicKey, hash, verify } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { outcomesOf } from '../../src/providers/provider.ts';
import { makeMessage, soon } from './pushes.ts';
import { startSmallPushService, type SmallPushService } from './small-push-service.ts';
import { openWebPush, overriding, type WebPushClient } from './web-push-network.ts';
import { WebPushUserAgent } from './web-push-user-agent.ts';

const ENDPOINT = '/wpush/v2/abc%2fdef%3D?token=x%2fy%3d&empty=';

async function resolveNothing(): Promise<never> {
  throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
}

async function setting(
  protocol: 'h2' | 'http/1.1',
  run: (service: SmallPushService, client: WebPushClient) => Promise<void>,
  answerTimeoutMs = 10_000,
): Promise<void> {
  await using service = await startSmallPushService(protocol);
  await using client = openWebPush({ hosts: [service.host], answerTimeoutMs });
  await run(service, client);
}

for (const protocol of ['h2', 'http/1.1'] as const) {
  describe(`a push service that speaks ${protocol}`, () => {
    it('gets the request of RFC 8030, with the endpoint as the browser gave it', () =>
      setting(protocol, async (service, client) => {
        const agent = new WebPushUserAgent();
        const push = client.pushTo(service.origin + ENDPOINT, agent);
        const [outcome] = await outcomesOf(client.provider, [push], soon());
        const providerId = 'https://127.0.0.1/m/1';
        assert.deepEqual(outcome, { kind: 'accepted', providerId });
        const [message] = service.taken;
        assert.ok(message !== undefined);
        assert.equal(message.path, ENDPOINT);
        assert.equal(message.httpVersion, protocol === 'h2' ? '2.0' : '1.1');
        const { headers, body } = message;
        assert.equal(headers['content-length'], String(body.length));
        assert.equal(headers['transfer-encoding'], undefined);
        assert.equal(headers['content-encoding'], 'aes128gcm');
        assert.equal(headers['content-type'], 'application/octet-stream');
        assert.equal(headers['urgency'], 'high');
        assert.match(String(headers['ttl']), /^35\d\d$|^3600$/);
        assert.equal(headers['topic'], hash('sha256', push.id, 'base64url').slice(0, 32));
        assertVapid(String(headers.authorization), client.keys.publicKey, service.origin);
        const { plaintext } = agent.decrypt(body);
        assert.deepEqual(JSON.parse(plaintext.toString()), {
          title: 'Your parcel',
          body: 'It has shipped.',
          tag: push.id,
          homing: { id: 'ntf_1' },
        });
      }));

    it('gets a hundred pushes over few connections, each for its own browser', () =>
      setting(protocol, async (service, client) => {
        const agents = Array.from({ length: 100 }, () => new WebPushUserAgent());
        const pushes = agents.map((agent, index) =>
          client.pushTo(`${service.origin}/s/${index}`, agent, { rcpt: `r${index}` }),
        );
        const outcomes = await outcomesOf(client.provider, pushes, soon());
        assert.ok(outcomes.every(({ kind }) => kind === 'accepted'));
        assert.equal(service.taken.length, 100);
        for (const { path, body } of service.taken) {
          const index = Number(path.slice('/s/'.length));
          const { plaintext } = agents[index]?.decrypt(body) ?? assert.fail();
          const { homing } = JSON.parse(plaintext.toString()) as { homing: { rcpt: string } };
          assert.equal(homing.rcpt, `r${index}`);
        }
        // One that failed for want of HTTP/2 is no connection to speak of.
        assert.ok(service.connections() <= (protocol === 'h2' ? 2 : 33));
      }));

    it('is never followed elsewhere', () =>
      setting(protocol, async (service, client) => {
        await using other = await startSmallPushService();
        service.answering = () => ({ status: 307, headers: { location: other.origin } });
        const push = client.pushTo(`${service.origin}/s`);
        const [outcome] = await outcomesOf(client.provider, [push], soon());
        assert.deepEqual(outcome, { kind: 'unclassified', code: '307', status: 307 });
        assert.equal(other.connections(), 0);
      }));

    it('may hang: then nobody knows', () =>
      setting(
        protocol,
        async (service, client) => {
          service.answering = () => null;
          const push = client.pushTo(`${service.origin}/s`);
          const [outcome] = await outcomesOf(client.provider, [push], soon());
          assert.deepEqual(outcome, { kind: 'unknown', code: 'TIMEOUT', status: null });
        },
        500,
      ));

    it('may send a body without an end: it is not kept, and the status counts', () =>
      setting(protocol, async (service, client) => {
        service.answering = () => ({ status: 410, body: 'x'.repeat(65 * 1024) });
        const push = client.pushTo(`${service.origin}/s`);
        const [outcome] = await outcomesOf(client.provider, [push], soon());
        assert.deepEqual(outcome, { kind: 'unclassified', code: 'cut_off', status: 410 });
        service.answering = () => ({ status: 201, body: 'x'.repeat(65 * 1024) });
        const [taken] = await outcomesOf(client.provider, [push], soon());
        assert.equal(taken?.kind, 'accepted');
      }));

    it('is not asked when the caller has changed its mind or time is up', () =>
      setting(protocol, async (service, client) => {
        const push = client.pushTo(`${service.origin}/s`);
        const aborted = await outcomesOf(client.provider, [push], soon(AbortSignal.abort()));
        assert.deepEqual(aborted, [{ kind: 'not_started' }]);
        const late = { startBefore: performance.now() - 1, signal: new AbortController().signal };
        assert.deepEqual(await outcomesOf(client.provider, [push], late), [
          { kind: 'not_started' },
        ]);
        assert.equal(service.taken.length, 0);
      }));

    it('is not asked too late when a connection is free and the process was held up', () =>
      setting(protocol, async (service, client) => {
        const push = client.pushTo(`${service.origin}/s`);
        const [first] = await outcomesOf(client.provider, [push], soon());
        assert.equal(first?.kind, 'accepted');
        // Timers are late then: a turn that reads from somewhere writes before it looks at them.
        await stat(import.meta.dirname);
        const options = { startBefore: performance.now() + 150, signal: soon().signal };
        const pending = outcomesOf(client.provider, [push], options);
        for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
        holdUp(200);
        assert.deepEqual(await pending, [{ kind: 'not_started' }]);
        const [next] = await outcomesOf(client.provider, [push], soon());
        assert.equal(next?.kind, 'accepted');
        assert.equal(service.taken.length, 2);
      }));

    it('is reached over a connection that takes longer than a push has time', () =>
      setting(protocol, async (service, client) => {
        // The first connection to a service without HTTP/2 tells just that.
        service.handshakeDelayMs = (nth) => (protocol === 'http/1.1' && nth === 1 ? 0 : 500);
        const push = client.pushTo(`${service.origin}/s`);
        const kinds: string[] = [];
        while (kinds.length < 10 && !kinds.includes('accepted')) {
          const startBefore = performance.now() + 200;
          const options = { startBefore, signal: new AbortController().signal };
          const [outcome] = await outcomesOf(client.provider, [push], options);
          kinds.push(String(outcome?.kind));
        }
        assert.equal(kinds[0], 'not_started');
        assert.equal(kinds.at(-1), 'accepted', kinds.join(' '));
        assert.equal(service.taken.length, 1);
      }));
  });
}

describe('the provider of Web Push', () => {
  it('blames no host for what it gives back while it is closed', async () => {
    await using service = await startSmallPushService('http/1.1');
    const client = openWebPush({ hosts: [service.host], answerTimeoutMs: 1_000 });
    const { promise: isFull, resolve: full } = Promise.withResolvers<void>();
    // One more than there are connections waits in line.
    const pushes = Array.from({ length: 33 }, () => client.pushTo(`${service.origin}/s`));
    service.answering = () => {
      if (service.taken.length === 32) full();
      return null;
    };
    const offered = outcomesOf(client.provider, pushes, soon());
    await isFull;
    await client[Symbol.asyncDispose]();
    const kinds = (await offered).map(({ kind }) => kind);
    const inLine = kinds.filter((kind) => kind !== 'unknown');
    assert.deepEqual([kinds.length, inLine], [33, ['not_started']]);
    const after = await outcomesOf(client.provider, pushes.slice(0, 1), soon());
    assert.deepEqual(after, [{ kind: 'not_started' }]);
  });

  it('says that a host is out of reach', async () => {
    const { host, origin, ...gone } = await startSmallPushService();
    await gone[Symbol.asyncDispose]();
    await using client = openWebPush({ hosts: [host] });
    const [outcome] = await outcomesOf(client.provider, [client.pushTo(`${origin}/s`)], soon());
    const code = 'connect_failed:ECONNREFUSED';
    assert.deepEqual(outcome, { kind: 'transient', code, status: null, retryAfterMs: null });
  });

  it('says that a name cannot be resolved', async () => {
    await using client = openWebPush({ hosts: [], resolve: resolveNothing });
    const push = client.pushTo('https://fcm.googleapis.com/fcm/send/x');
    const [outcome] = await outcomesOf(client.provider, [push], soon());
    const code = 'ENOTFOUND';
    assert.deepEqual(outcome, { kind: 'transient', code, status: null, retryAfterMs: null });
  });

  it('keeps the ways to 64 hosts, and forgets the one that was used longest ago', async () => {
    await using service = await startSmallPushService();
    await using client = openWebPush({ hosts: [service.host], resolve: resolveNothing });
    let invented = 0;
    const inventHosts = async (many: number): Promise<void> => {
      const pushes = Array.from({ length: many }, () =>
        client.pushTo(`https://x${(invented += 1)}.notify.windows.com/w/?token=x`),
      );
      for (const push of pushes) await outcomesOf(client.provider, [push], soon());
    };
    const push = client.pushTo(`${service.origin}/s`);
    const offer = () => outcomesOf(client.provider, [push], soon());
    service.answering = () => ({ status: 410 });
    for (let time = 0; time < 3; time += 1) {
      await offer();
      await inventHosts(63);
    }
    await offer();
    assert.equal(service.connections(), 1, 'it was used before 64 others came');
    await inventHosts(64);
    service.answering = () => ({ status: 201 });
    await offer();
    assert.equal(service.connections(), 2, 'it was the one of longest ago');
    await inventHosts(200);
    await offer();
    assert.equal(service.connections(), 2, 'none that never took anything pushes out one that did');
  });

  it('offers nothing with another key than that of the subscription', () =>
    setting('h2', async (service, client) => {
      await using other = openWebPush({ hosts: [service.host] });
      const push = other.pushTo(`${service.origin}/s`);
      const [outcome] = await outcomesOf(client.provider, [push], soon());
      const code = 'key_not_configured';
      assert.deepEqual(outcome, { kind: 'token_mismatch', code, status: null });
      assert.equal(service.connections(), 0);
    }));

  it('knows the placeholder of a removed subscription, and keys that nobody can read with', async () => {
    await using client = openWebPush({ hosts: [] });
    const removed = client.pushTo('https://permanently-removed.invalid/fcm/send/x');
    const agent = new WebPushUserAgent();
    const off = Buffer.concat([Buffer.of(4), Buffer.alloc(64, 7)]).toString('base64url');
    const unusable = client.pushTo('https://fcm.googleapis.com/fcm/send/x', agent);
    const { address } = unusable;
    assert.ok(address.provider === 'webpush');
    const broken = { ...unusable, address: { ...address, p256dh: off } };
    const outcomes = await outcomesOf(client.provider, [removed, broken], soon());
    assert.deepEqual(outcomes, [
      { kind: 'token_dead', code: 'permanently-removed.invalid', status: null, since: null },
      { kind: 'token_mismatch', code: 'unusable_keys', status: null },
    ]);
  });

  it('lets a caller override what the page shows, and no promise of ours', () =>
    setting('h2', async (service, client) => {
      const agent = new WebPushUserAgent();
      const shown = { icon: '/i.png', requireInteraction: true, data: { a: '1' } };
      const message = {
        ...overriding({ headers: { Urgency: 'low' }, ...shown }),
        data: { b: '2' },
      };
      const push = client.pushTo(`${service.origin}/s`, agent, { message });
      await outcomesOf(client.provider, [push], soon());
      const [taken] = service.taken;
      assert.equal(taken?.headers['urgency'], 'low');
      const { plaintext } = agent.decrypt(taken?.body ?? Buffer.alloc(0));
      const content = JSON.parse(plaintext.toString()) as Record<string, unknown>;
      assert.deepEqual(content['data'], { a: '1', b: '2' });
      assert.deepEqual([content['icon'], content['requireInteraction']], ['/i.png', true]);
      for (const override of [
        { tag: 'x' },
        { homing: {} },
        { headers: { TTL: '1' } },
        { headers: { Topic: 'x' } },
        { headers: { Urgency: 'urgent' } },
        { headers: 'x' },
        { data: 'x' },
      ]) {
        const refused = client.pushTo(`${service.origin}/s`, agent, {
          message: overriding(override),
        });
        const [outcome] = await outcomesOf(client.provider, [refused], soon());
        assert.ok(outcome?.kind === 'payload', JSON.stringify(override));
        assert.equal(outcome.code, 'invalid_override');
      }
      assert.equal(service.taken.length, 1);
    }));

  it('sends 3993 bytes of content as 4096, and no byte more', () =>
    setting('h2', async (service, client) => {
      const agent = new WebPushUserAgent();
      const sized = (body: string) =>
        client.pushTo(`${service.origin}/s`, agent, { message: makeMessage({ body }) });
      const room = client.provider.limits.payloadBytes - client.provider.measure(sized(''));
      const fits = sized('é'.repeat(Math.floor(room / 2)) + 'x'.repeat(room % 2));
      assert.equal(client.provider.measure(fits), 3993);
      const over = sized('x'.repeat(room + 1));
      const [taken, refused] = await outcomesOf(client.provider, [fits, over], soon());
      assert.equal(taken?.kind, 'accepted');
      assert.ok(refused?.kind === 'payload');
      assert.equal(refused.code, 'payload_too_large');
      assert.deepEqual(
        service.taken.map(({ body }) => body.length),
        [4096],
      );
    }));

  it('gives one collapse key one topic, for each user of a shared browser another', () =>
    setting('h2', async (service, client) => {
      const message = makeMessage({ collapseKey: 'cart' });
      const to = (collapseScope: string | null) =>
        client.pushTo(`${service.origin}/s`, new WebPushUserAgent(), { message, collapseScope });
      await outcomesOf(client.provider, [to(null), to(null), to('anna'), to('ben')], soon());
      const topics = service.taken.map(({ headers }) => String(headers['topic']));
      assert.equal(new Set(topics).size, 3);
      for (const topic of topics) assert.match(topic, /^[\w-]{32}$/);
    }));
});

/** As a long computation does. */
function holdUp(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function assertVapid(authorization: string, publicKey: string, origin: string): void {
  const match = /^vapid t=([\w-]+\.[\w-]+)\.([\w-]+), k=([\w-]+)$/.exec(authorization);
  const [, signed = '', signature = '', key = ''] = match ?? [];
  assert.equal(key, publicKey);
  const claims = JSON.parse(Buffer.from(signed.split('.')[1] ?? '', 'base64url').toString()) as {
    readonly aud: string;
  };
  assert.equal(claims.aud, origin);
  const point = Buffer.from(key, 'base64url');
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) =>
    half.toString('base64url'),
  );
  assert(x !== undefined && y !== undefined);
  const jwk = { kty: 'EC', crv: 'P-256', x, y };
  const verifier = {
    key: createPublicKey({ format: 'jwk', key: jwk }),
    dsaEncoding: 'ieee-p1363',
  } as const;
  assert.ok(verify('sha256', Buffer.from(signed), verifier, Buffer.from(signature, 'base64url')));
}
