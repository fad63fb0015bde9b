import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  createServer,
  Socket,
  type AddressInfo,
  type LookupFunction,
  type TcpNetConnectOpts,
} from 'node:net';
import { after, mock, test } from 'node:test';
import { startNetwork } from '../../../../test/network.ts';
import { judgeEndpoint } from '../../src/domain/push-service.ts';
import type { Resolve, ResolvedAddress } from '../../src/outbound/public-lookup.ts';
import { publicLookup } from '../../src/outbound/public-lookup.ts';
import { outcomesOf } from '../../src/providers/provider.ts';
import { shapeOf } from '../../src/providers/webpush/request-shape.ts';
import { ServiceRoute } from '../../src/providers/webpush/service-route.ts';
import { assertProblem } from '../http/assert-problem.ts';
import { hostileUrls, PRIVATE_IPV4, PRIVATE_IPV6 } from '../outbound/hostile-urls.ts';
import { soon } from './pushes.ts';
import { startSmallPushService } from './small-push-service.ts';
import { openWebPush } from './web-push-network.ts';
import { WebPushUserAgent } from './web-push-user-agent.ts';

/** Counts whoever comes; nobody may. */
let visits = 0;
const canary = createServer((socket) => {
  visits += 1;
  socket.destroy();
}).listen(0, '127.0.0.1');
await once(canary, 'listening');
after(() => canary.close());
const { port } = canary.address() as AddressInfo;

const NO_HOSTS: ReadonlySet<string> = new Set();

/** Endpoints that name what is inside, or nearly a push service, each with a path to tell it. */
const ENDPOINTS: readonly string[] = [
  ...hostileUrls(port).map((url) => (url.endsWith('/') ? `${url}wpush/v2/x` : url)),
  `https://fcm.googleapis.com:${port}/fcm/send/x`,
  'https://fcm.googleapis.com:80/fcm/send/x',
  'https://fcm.googleapis.com:443/fcm/send/x',
  'https://fcm.googleapis.com./fcm/send/x',
  'https://FCM.googleapis.com/fcm/send/x',
  'https://ⓕcm.googleapis.com/fcm/send/x',
  'https://fcm%2egoogleapis.com/fcm/send/x',
  'https://fcm。googleapis.com/fcm/send/x',
  'https://user@fcm.googleapis.com/fcm/send/x',
  'https://fcm.googleapis.com@127.0.0.1/fcm/send/x',
  'https://fcm.googleapis.com.evil.example/fcm/send/x',
  'https://evilfcm.googleapis.com/fcm/send/x',
  'https://x.fcm.googleapis.com/fcm/send/x',
  'https://googleapis.com/fcm/send/x',
  'https://fcm.googleapis.com\\@127.0.0.1/fcm/send/x',
  'https://fcm.googleapis.com#@127.0.0.1/',
  'https://fcm.googleapis.com/fcm/send/x#fragment',
  'https://fcm.googleapis.com',
  'https://fcm.googleapis.com?x=/y',
  'https://fcm.googleapis.com/fcm/send/ü',
  'http://fcm.googleapis.com/fcm/send/x',
  'https:/fcm.googleapis.com/fcm/send/x',
  'https:fcm.googleapis.com/fcm/send/x',
  'https://notify.windows.com/w/?token=x',
  'https://evil.example/.notify.windows.com/w/?token=x',
  'https://notify.windows.com.evil.example/w/?token=x',
  'https://evilnotify.windows.com/w/?token=x',
  'https://a.b.notify.windows.com/w/?token=x',
  'https://push.services.mozilla.com/wpush/v2/x',
  'https://xpush.services.mozilla.com/wpush/v2/x',
  'https://push.apple.com/x',
  'https://web.push.apple.com.evil.example/x',
];

/** Those of the services, as browsers make them. */
const GENUINE: readonly (readonly [string, string])[] = [
  ['https://fcm.googleapis.com/fcm/send/abc:APA91b', 'google'],
  ['https://fcm.googleapis.com/wp/abc', 'google'],
  ['https://android.googleapis.com/gcm/send/abc', 'google'],
  ['https://jmt17.google.com/fcm/send/abc', 'google'],
  ['https://updates.push.services.mozilla.com/wpush/v2/gAAAA', 'mozilla'],
  ['https://web.push.apple.com/QDxyz', 'apple'],
  ['https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2f%2b3', 'wns'],
  ['https://db5p.notify.windows.com/w/?token=x', 'wns'],
];

async function resolveInside(): Promise<readonly ResolvedAddress[]> {
  return [{ address: '127.0.0.1', family: 4 }];
}

function routeTo(origin: string, resolve: Resolve): ServiceRoute {
  return new ServiceRoute({
    origin,
    ownHosts: NO_HOSTS,
    ca: null,
    resolve,
    authorization: () => 'vapid t=x, k=y',
    answerTimeoutMs: 1_000,
  });
}

type Connect = (this: Socket, options: TcpNetConnectOpts, listener: () => void) => Socket;

/** Until it is disposed, sockets that are to go to a public address end up on this machine. */
function leadBack(publicAddress: string): Disposable {
  const prototype: { readonly connect: Connect } = Socket.prototype;
  const { connect } = prototype;
  const leading =
    (lookup: LookupFunction): LookupFunction =>
    (hostname, options, callback) =>
      lookup(hostname, options, (error, found, family) => {
        assert.ok(Array.isArray(found));
        const led = found.map(({ address, ...rest }) => ({
          ...rest,
          address: address === publicAddress ? '127.0.0.1' : address,
        }));
        callback(error, led, family);
      });
  const mocked = mock.method(
    Socket.prototype,
    'connect',
    function (this: Socket, options: TcpNetConnectOpts, listener: () => void): Socket {
      const { lookup } = options;
      const led = lookup === undefined ? options : { ...options, lookup: leading(lookup) };
      return connect.call(this, led, listener);
    },
  );
  return { [Symbol.dispose]: () => mocked.mock.restore() };
}

test('the endpoints that browsers make are known by their service, to the last byte', () => {
  for (const [endpoint, service] of GENUINE) {
    const judged = judgeEndpoint(endpoint, NO_HOSTS);
    assert.ok(judged.kind === 'endpoint', endpoint);
    assert.equal(judged.service, service);
    assert.equal(judged.origin + judged.path, endpoint);
  }
});

test('an endpoint elsewhere is refused at registration, and nobody goes there', async (t) => {
  await using network = await startNetwork({ role: 'api' });
  const { keys } = new WebPushUserAgent();
  for (const endpoint of ENDPOINTS) {
    const path = `/v1/installations/${randomUUID()}`;
    const token = { provider: 'webpush', endpoint, keys };
    const answer = await network.backEnd.request('PUT', path, { token });
    assertProblem(answer, 'validation_failed');
    assert.match(JSON.stringify(answer.body), /\/token\/endpoint/, endpoint);
  }
  assert.equal(visits, 0);
  t.diagnostic(`${ENDPOINTS.length} endpoints`);
  assert.ok(ENDPOINTS.length >= 200);
});

test('an endpoint elsewhere that is stored all the same is not connected to', async () => {
  await using client = openWebPush({ hosts: [], resolve: resolveInside });
  for (const endpoint of ENDPOINTS) {
    const [outcome] = await outcomesOf(client.provider, [client.pushTo(endpoint)], soon());
    const expected = { kind: 'unclassified', code: 'endpoint_not_allowed', status: null };
    assert.deepEqual(outcome, expected, endpoint);
  }
  assert.equal(visits, 0);
});

test('a push service whose name leads inside is not connected to', async () => {
  const addresses = new Map<string, readonly string[]>();
  const resolve = async (hostname: string): Promise<readonly ResolvedAddress[]> =>
    (addresses.get(hostname) ?? []).map((address) => ({
      address,
      family: address.includes(':') ? 6 : 4,
    }));
  const inside = [...Object.keys(PRIVATE_IPV4), ...PRIVATE_IPV6];
  const answers = inside.flatMap((one) => [[one], [one, '8.8.8.8'], ['8.8.8.8', one]]);
  await using client = openWebPush({ hosts: [], resolve });
  for (const [index, answer] of [...answers, []].entries()) {
    // A name of its own for each: after a failed connection there is a pause.
    const host = `wns2-x${index}.notify.windows.com`;
    addresses.set(host, answer);
    const push = client.pushTo(`https://${host}/w/?token=x`);
    const [outcome] = await outcomesOf(client.provider, [push], soon());
    const code = 'connect_failed:PRIVATE_ADDRESS';
    const expected = { kind: 'transient', code, status: null, retryAfterMs: null };
    assert.deepEqual(outcome, expected, answer.join(' '));
  }
  assert.equal(visits, 0);
});

test('a route refuses what is inside on the very port where somebody listens', async () => {
  let lookups = 0;
  const flipping = async (): Promise<readonly ResolvedAddress[]> => {
    lookups += 1;
    // Whoever looked twice would be told something else the second time.
    const [first, second] = [
      { address: '127.0.0.1', family: 4 },
      { address: '8.8.8.8', family: 4 },
    ];
    return lookups % 2 === 1 ? [first] : [second, first];
  };
  for (let time = 0; time < 4; time += 1) {
    await using route = routeTo(`https://fcm.googleapis.com:${port}`, flipping);
    const request = { shape: shapeOf('high', null), path: '/', values: ['0', 'x'] } as const;
    const result = await route.request({ ...request, body: Buffer.alloc(0) }, soon());
    assert.ok(result.kind === 'not_started' && result.detail === 'PRIVATE_ADDRESS');
    assert.equal(lookups, time + 1);
  }
  assert.equal(visits, 0);
});

test('a route leads to a name, never to an address', () => {
  for (const host of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '8.8.8.8', '[2001:4860::8888]']) {
    assert.throws(() => routeTo(`https://${host}:${port}`, resolveInside), {
      name: 'AssertionError',
    });
  }
});

test('a route that falls back to HTTP/1.1 looks the name up anew, and checks it anew', async () => {
  await using service = await startSmallPushService('http/1.1');
  using _ = leadBack('8.8.8.8');
  let lookups = 0;
  const flipping = async (): Promise<readonly ResolvedAddress[]> => {
    lookups += 1;
    return [{ address: lookups === 1 ? '8.8.8.8' : '127.0.0.1', family: 4 }];
  };
  const origin = `https://fcm.googleapis.com:${new URL(service.origin).port}`;
  await using route = routeTo(origin, flipping);
  const request = { shape: shapeOf('high', null), path: '/', values: ['0', 'x'] } as const;
  const result = await route.request({ ...request, body: Buffer.alloc(0) }, soon());
  assert.ok(result.kind === 'not_started');
  assert.equal(result.detail, 'PRIVATE_ADDRESS');
  assert.equal(lookups, 2);
  // One connection, which said that there is no HTTP/2; the second name leads to the same server.
  assert.equal(service.connections(), 1);
});

test('a socket gets the addresses that were checked, and looks nothing up itself', async () => {
  let lookups = 0;
  const flipping = async (): Promise<readonly ResolvedAddress[]> => {
    lookups += 1;
    return [{ address: lookups === 1 ? '8.8.8.8' : '127.0.0.1', family: 4 }];
  };
  const lookup = publicLookup(flipping);
  const look = (): Promise<unknown> =>
    new Promise((resolve, reject) => {
      lookup('fcm.googleapis.com', { all: true }, (error, found) =>
        error === null ? resolve(found) : reject(error),
      );
    });
  assert.deepEqual(await look(), [{ address: '8.8.8.8', family: 4 }]);
  assert.equal(lookups, 1);
  await assert.rejects(look(), { name: 'PrivateAddressError' });
});
