import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { Agent, request } from 'undici';
import { DocumentClient } from '../../src/outbound/document-client.ts';
import { guardedConnector } from '../../src/outbound/guarded-connector.ts';
import { isPublicAddress } from '../../src/outbound/public-address.ts';
import type { ResolvedAddress } from '../../src/outbound/public-lookup.ts';
import {
  hostileUrls,
  NO_ADDRESSES,
  PRIVATE_IPV4,
  PRIVATE_IPV6,
  PUBLIC_ADDRESSES,
} from './hostile-urls.ts';

/** Counts whoever comes; nobody may. */
let visits = 0;
const canary = createServer((socket) => {
  visits += 1;
  socket.destroy();
}).listen(0, '127.0.0.1');
await once(canary, 'listening');
after(() => canary.close());
const { port } = canary.address() as AddressInfo;

/** What names mean here: the address that they begin with, and whatever else a test says. */
const names = new Map<string, readonly string[]>();

async function resolve(hostname: string): Promise<readonly ResolvedAddress[]> {
  const addresses = names.get(hostname) ?? ['127.0.0.1'];
  return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}

async function fail(): Promise<never> {
  throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
}

test('what is not of the public internet is known by its address', () => {
  for (const address of [...Object.keys(PRIVATE_IPV4), ...PRIVATE_IPV6, ...NO_ADDRESSES]) {
    assert.equal(isPublicAddress(address), false, address);
  }
  for (const address of PUBLIC_ADDRESSES) assert.equal(isPublicAddress(address), true, address);
});

test('no spelling of an address inside leads to a connection', async (t) => {
  await using client = new DocumentClient({ allowed: new Set(), ca: null, resolve });
  const urls = hostileUrls(port);
  assert.ok(urls.length >= 200);
  for (const url of urls) {
    const answer = await client.fetch(url, 1_000);
    assert.equal(answer.kind, 'failed', url);
    assert.notEqual(client.refuse(url), null, url);
  }
  assert.equal(visits, 0);
  t.diagnostic(`${urls.length} addresses`);
});

test('the connector alone refuses them too, on the very port where somebody listens', async () => {
  const connect = guardedConnector({ allowed: new Set(), resolve, ca: null });
  const agent = new Agent({ connect });
  after(() => agent.destroy());
  const urls = hostileUrls(port).filter((url) => url.startsWith('https://') && URL.canParse(url));
  for (const text of urls) {
    const url = new URL(text);
    url.port = String(port);
    await assert.rejects(
      request(url, { dispatcher: agent }),
      { name: 'PrivateAddressError' },
      text,
    );
  }
  assert.equal(visits, 0);
});

test('a name is refused for any address of its that is not public', async () => {
  await using client = new DocumentClient({ allowed: new Set(), ca: null, resolve });
  for (const address of [...Object.keys(PRIVATE_IPV4), ...PRIVATE_IPV6]) {
    for (const addresses of [[address], [address, '8.8.8.8'], ['8.8.8.8', address]]) {
      names.set('inside.example', addresses);
      const answer = await client.fetch('https://inside.example/keys', 1_000);
      assert.equal(answer.kind, 'failed');
      assert.match(answer.kind === 'failed' ? answer.why : '', /does not lead to the public/);
    }
  }
  names.set('inside.example', []);
  const answer = await client.fetch('https://inside.example/keys', 1_000);
  assert.deepEqual(answer, { kind: 'failed', why: 'inside.example has no address' });
  assert.equal(visits, 0);
});

test('a name that flips is judged by the address that would be connected to', async () => {
  let lookups = 0;
  const flipping = async (): Promise<readonly ResolvedAddress[]> => {
    lookups += 1;
    // Public for whoever checks first and connects later.
    return [{ address: lookups % 2 === 0 ? '8.8.8.8' : '127.0.0.1', family: 4 }];
  };
  await using client = new DocumentClient({ allowed: new Set(), ca: null, resolve: flipping });
  const first = await client.fetch('https://flip.example/keys', 1_000);
  assert.equal(first.kind, 'failed');
  // One look-up, and what it says is both what is checked and where it would go.
  assert.equal(lookups, 1);
  assert.equal(visits, 0);
});

test('a name that is public when it is checked is not looked up again to connect', async () => {
  let lookups = 0;
  const flipping = async (): Promise<readonly ResolvedAddress[]> => {
    lookups += 1;
    return [{ address: lookups % 2 === 1 ? '8.8.8.8' : '127.0.0.1', family: 4 }];
  };
  const connect = guardedConnector({ allowed: new Set(), resolve: flipping, ca: null });
  // From this address only this machine can be reached: no packet leaves for the public one.
  const agent = new Agent({ connect, localAddress: '127.0.0.1' });
  after(() => agent.destroy());
  const url = `https://flip.example:${port}/keys`;
  const visitsBefore = visits;
  await assert.rejects(request(url, { dispatcher: agent }), { syscall: 'connect' });
  assert.equal(lookups, 1);
  await assert.rejects(request(url, { dispatcher: agent }), { name: 'PrivateAddressError' });
  assert.equal(lookups, 2);
  assert.equal(visits, visitsBefore);
});

test('an error of the resolver is an answer as well', async () => {
  await using client = new DocumentClient({ allowed: new Set(), ca: null, resolve: fail });
  const answer = await client.fetch('https://nowhere.example/keys', 1_000);
  assert.deepEqual(answer, { kind: 'failed', why: 'ENOTFOUND' });
});

test('only what the operator allows is connected to, and only on its port', async () => {
  const allowed = new Set([`127.0.0.1:${port}`]);
  await using client = new DocumentClient({ allowed, ca: null, resolve });
  assert.equal(client.refuse(`https://127.0.0.1:${port}/keys`), null);
  for (const url of [`http://127.0.0.1:${port}/`, 'https://127.0.0.1/', `https://[::1]:${port}/`]) {
    assert.notEqual(client.refuse(url), null, url);
  }
  assert.equal(visits, 0);
  assert.equal((await client.fetch(`https://127.0.0.1:${port}/keys`, 1_000)).kind, 'failed');
  assert.equal(visits, 1);
});
