import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, beforeEach, test } from 'node:test';
import { createLogger, type ProvisionedApp } from '@homing/server';
import { addCredential } from '../../packages/server/src/credentials/add-credential.ts';
import { parseTypedId } from '../../packages/server/src/domain/typed-id.ts';
import { inTransaction } from '../../packages/server/src/store/transaction.ts';
import { assertProblem } from '../../packages/server/test/http/assert-problem.ts';
import {
  startSmallPushService,
  type SmallPushService,
} from '../../packages/server/test/providers/small-push-service.ts';
import { makeVapidKeys, type VapidKeys } from '../../packages/server/test/providers/vapid-keys.ts';
import { WebPushUserAgent } from '../../packages/server/test/providers/web-push-user-agent.ts';
import { request } from '../answer.ts';
import { assertAnswered } from '../answered.ts';
import { BackEnd } from '../back-end.ts';
import { Device } from '../device.ts';
import { startNetwork } from '../network.ts';

const [mozilla, other] = [await startSmallPushService(), await startSmallPushService('http/1.1')];
const network = await startNetwork({
  webPushHosts: [mozilla.host, other.host],
  logger: createLogger('silent'),
});
after(async () => {
  await network[Symbol.asyncDispose]();
  await Promise.all([mozilla, other].map((service) => service[Symbol.asyncDispose]()));
});
for (const service of [mozilla, other]) {
  service.certify(await network.authority.issue(['127.0.0.1']));
}
beforeEach(() => {
  for (const service of [mozilla, other]) {
    service.taken.length = 0;
    service.answering = () => ({ status: 201 });
  }
});

/** A page of the app in a browser of its own, with one subscription. */
interface Page {
  readonly device: Device;
  readonly agent: WebPushUserAgent;
  readonly endpoint: string;
  /** Registers, naming the key that it subscribed with or not. */
  report(key?: string): Promise<void>;
}

interface Shop {
  readonly app: ProvisionedApp;
  readonly backEnd: BackEnd;
  readonly keys: VapidKeys;
}

async function openShop(): Promise<Shop> {
  const keys = makeVapidKeys();
  const app = await network.provision({ credentials: { webpush: { ...keys } } });
  return { app, backEnd: new BackEnd(network.url, app.secretKey), keys };
}

function openPage({ app }: Shop, service: SmallPushService): Page {
  const device = new Device(network.url, app, network.issuer);
  const agent = new WebPushUserAgent();
  const endpoint = `${service.origin}/wpush/v2/${randomUUID()}`;
  return {
    device,
    agent,
    endpoint,
    async report(key) {
      const named = key === undefined ? {} : { application_server_key: key };
      const token = { provider: 'webpush', endpoint, keys: agent.keys, ...named };
      const answer = await device.sync({ token });
      assert.ok([200, 201].includes(answer.status), JSON.stringify(answer.body));
    },
  };
}

/** Another key for the app, as an operator would add one. */
async function addKey({ app }: Shop): Promise<VapidKeys> {
  const keys = makeVapidKeys();
  const parsed = network.homing.kinds.webpush?.divide({ ...keys });
  assert(parsed?.kind === 'settings');
  const { db, vault } = network.homing;
  const [row] = await db<{ app_ref: number }[]>`
    select app_ref from app where id = ${parseTypedId('app', app.id)}`;
  const appRef = row?.app_ref ?? 0;
  const credential = { appRef, provider: 'webpush', ...parsed.settings } as const;
  await inTransaction(db, (tx) => addCredential(tx, vault, credential));
  return keys;
}

async function newestKey({ app }: Shop): Promise<unknown> {
  const headers = { authorization: `Bearer ${app.publishableKey}` };
  const answer = await request(`${network.url}/v1/app/vapid-key`, { headers });
  assertAnswered(answer, 200);
  return answer.body['application_server_key'];
}

async function sendToAll({ backEnd }: Shop, pages: readonly Page[]): Promise<string> {
  const installations = pages.map(({ device }) => device.id);
  return backEnd.send({ audience: { installations }, content: { title: 'Hello' } });
}

/** The states of deliveries by installation. */
async function statesOf({ backEnd }: Shop, id: string): Promise<ReadonlyMap<unknown, unknown>> {
  const deliveries = await backEnd.deliveries(id);
  return new Map(deliveries.map((one) => [one['installation_id'], one['state']]));
}

async function tokenOf({ backEnd }: Shop, { device }: Page): Promise<unknown> {
  const installation = await backEnd.installation(device.id);
  return installation['token']?.['status'];
}

/** The VAPID keys that a page's endpoint was sent to with. */
function keysUsedFor(
  { endpoint }: Page,
  service: SmallPushService,
): readonly (string | undefined)[] {
  const { pathname } = new URL(endpoint);
  const messages = service.taken.filter(({ path }) => path === pathname);
  return messages.map(({ headers }) => headers.authorization?.split('k=')[1]);
}

test('a second key serves new subscriptions, the first one those it made, and nobody twice', async () => {
  const shop = await openShop();
  assert.equal(await newestKey(shop), shop.keys.publicKey);
  const [old, oldUnnamed] = [openPage(shop, mozilla), openPage(shop, other)];
  await old.report(shop.keys.publicKey);
  await oldUnnamed.report();
  const second = await addKey(shop);
  assert.equal(await newestKey(shop), second.publicKey);
  const [fresh, freshUnnamed] = [openPage(shop, mozilla), openPage(shop, other)];
  await fresh.report(second.publicKey);
  await freshUnnamed.report();
  // What is reported again without its key stays with the one that it has.
  await oldUnnamed.report();
  const pages = [old, oldUnnamed, fresh, freshUnnamed];
  const id = await sendToAll(shop, pages);
  await network.drain();
  const report = await shop.backEnd.report(id);
  const told = JSON.stringify([report, await shop.backEnd.deliveries(id)]);
  assert.equal(report['counts']?.['accepted'], 4, told);
  assert.deepEqual(keysUsedFor(old, mozilla), [shop.keys.publicKey]);
  assert.deepEqual(keysUsedFor(oldUnnamed, other), [shop.keys.publicKey]);
  assert.deepEqual(keysUsedFor(fresh, mozilla), [second.publicKey]);
  assert.deepEqual(keysUsedFor(freshUnnamed, other), [second.publicKey]);
  const message = mozilla.taken.find(({ path }) => old.endpoint.endsWith(path));
  const { plaintext } = old.agent.decrypt(message?.body ?? Buffer.alloc(0));
  assert.equal((JSON.parse(plaintext.toString()) as { title: string }).title, 'Hello');
});

test('a subscription that was made with a key of somebody else is never sent to', async () => {
  const shop = await openShop();
  const page = openPage(shop, mozilla);
  await page.report(makeVapidKeys().publicKey);
  const id = await sendToAll(shop, [page]);
  await network.drain();
  const report = await shop.backEnd.report(id);
  assert.deepEqual(report['reasons'], { skipped: { no_credential: 1 } });
  assert.equal(mozilla.taken.length, 0);
});

test('an app without a key has none to tell', async () => {
  const app = await network.provision({ credentials: {} });
  const headers = { authorization: `Bearer ${app.publishableKey}` };
  assertProblem(await request(`${network.url}/v1/app/vapid-key`, { headers }), 'not_found');
});

test('a page of another origin is told nothing', async () => {
  const { app } = await openShop();
  const headers = { authorization: `Bearer ${app.publishableKey}`, origin: 'https://evil.example' };
  const answer = await request(`${network.url}/v1/app/vapid-key`, { headers });
  assertProblem(answer, 'origin_not_allowed');
});

test('a young subscription that is called gone is asked once more, and may be alive', async () => {
  const shop = await openShop();
  const page = openPage(shop, mozilla);
  await page.report();
  mozilla.answering = () => ({ status: 410 });
  const id = await sendToAll(shop, [page]);
  await network.drain();
  assert.equal((await statesOf(shop, id)).get(page.device.id), 'retrying');
  assert.equal(await tokenOf(shop, page), 'live');
  mozilla.answering = () => ({ status: 201 });
  await network.clock.advance(29_000);
  await network.drain();
  assert.equal(mozilla.taken.length, 1);
  await network.clock.advance(31_000);
  await network.drain();
  assert.equal((await statesOf(shop, id)).get(page.device.id), 'accepted');
  assert.equal(mozilla.taken.length, 2);
});

test('a young subscription that is called gone twice is dead', async () => {
  const shop = await openShop();
  const page = openPage(shop, mozilla);
  await page.report();
  mozilla.answering = () => ({ status: 404 });
  const id = await sendToAll(shop, [page]);
  await network.drain();
  await network.clock.advance(61_000);
  await network.drain();
  assert.equal(mozilla.taken.length, 2);
  assert.equal((await statesOf(shop, id)).get(page.device.id), 'failed');
  assert.equal(await tokenOf(shop, page), 'retired');
});

test('a subscription of ten minutes is dead when it is called gone', async () => {
  const shop = await openShop();
  const page = openPage(shop, mozilla);
  await page.report();
  await network.clock.advance(10 * 60_000 + 1_000);
  mozilla.answering = () => ({ status: 410 });
  await sendToAll(shop, [page]);
  await network.drain();
  assert.equal(mozilla.taken.length, 1);
  assert.equal(await tokenOf(shop, page), 'retired');
});

test('a subscription that is refused alone is put aside, and the key goes on', async () => {
  const shop = await openShop();
  const [bad, good] = [openPage(shop, mozilla), openPage(shop, mozilla)];
  await bad.report();
  await good.report();
  mozilla.answering = ({ path }) => ({ status: bad.endpoint.endsWith(path) ? 403 : 201 });
  const id = await sendToAll(shop, [bad, good]);
  await network.drain();
  const states = await statesOf(shop, id);
  assert.deepEqual([states.get(bad.device.id), states.get(good.device.id)], ['failed', 'accepted']);
  assert.deepEqual([await tokenOf(shop, bad), await tokenOf(shop, good)], ['quarantined', 'live']);
  assert.deepEqual((await alertsOf(shop)).length, 0);
});

test('a key that one host refuses waits there, with an alert, and goes on elsewhere', async () => {
  const shop = await openShop();
  const pages = Array.from({ length: 12 }, () => openPage(shop, mozilla));
  const elsewhere = openPage(shop, other);
  for (const page of [...pages, elsewhere]) await page.report();
  mozilla.answering = () => ({ status: 403 });
  const id = await sendToAll(shop, [...pages, elsewhere]);
  await network.drain();
  assert.equal((await statesOf(shop, id)).get(elsewhere.device.id), 'accepted');
  const [alert, ...others] = await alertsOf(shop);
  assert.equal(others.length, 0);
  assert.equal(alert?.['kind'], 'credential_stopped');
  assert.equal(alert?.['detail']?.['host'], mozilla.host);
  const statuses = await Promise.all(pages.map((page) => tokenOf(shop, page)));
  assert.equal(statuses.filter((status) => status === 'quarantined').length, 4);
  assert.equal(statuses.filter((status) => status === 'live').length, 8);

  mozilla.answering = () => ({ status: 201 });
  await network.clock.advance(70_000);
  await network.drain();
  const report = await shop.backEnd.report(id);
  assert.deepEqual(report['counts']?.['accepted'], 9);
  assert.equal((await alertsOf(shop)).length, 0);
});

/** The open ones. */
async function alertsOf({ backEnd }: Shop) {
  const answer = await backEnd.get('/v1/alerts?open=true');
  assertAnswered(answer, 200);
  return answer.body['data'] as unknown as readonly Readonly<
    Record<string, Record<string, unknown>>
  >[];
}
