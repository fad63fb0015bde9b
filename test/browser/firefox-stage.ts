import assert from 'node:assert/strict';
import { startPushSocket, type PushSocket } from '@homing/simulators';
import { startNetwork, type Network } from '../network.ts';
import { tokensReached } from '../pushes.ts';
import type { FirefoxDevice } from './firefox-device.ts';
import { startFirefox, type Firefox } from './firefox.ts';
import { buildSdkFiles } from './sdk-files.ts';
import { openShop, type Shop } from './shop.ts';
import { ShopVisit } from './shop-visit.ts';

/** A shop, and a device of Anna's that has subscribed there and where she is signed in. */
export interface AnnasDevice extends AsyncDisposable {
  readonly shop: Shop;
  readonly device: FirefoxDevice;
  readonly visit: ShopVisit;
  readonly installationId: string;
}

/** What scenarios in Firefox share; each has a shop and devices of its own. */
export interface FirefoxStage extends AsyncDisposable {
  readonly network: Network;
  readonly socket: PushSocket;
  readonly firefox: Firefox;
  openShop(): Promise<Shop>;
  openForAnna(): Promise<AnnasDevice>;
  /** The endpoints that a push for a user goes to, found out by sending one. */
  reached(shop: Shop, user: string): Promise<readonly string[]>;
}

export async function startFirefoxStage(): Promise<FirefoxStage> {
  await using stack = new AsyncDisposableStack();
  const sdk = await buildSdkFiles();
  const network = stack.use(await startNetwork({ overrides: { scripts: sdk.scripts } }));
  const socket = stack.use(await startPushSocket({ simulator: network.webPush.mozilla }));
  const firefox = stack.use(await startFirefox(socket.url));
  const owned = stack.move();
  return {
    network,
    socket,
    firefox,
    openShop: () => openShop(network, sdk),
    async openForAnna() {
      await using opened = new AsyncDisposableStack();
      const shop = opened.use(await openShop(network, sdk));
      const device = opened.use(await firefox.addDevice());
      const visit = await subscribeAnna(shop, device);
      const { installationId } = await visit.status();
      const kept = opened.move();
      const dispose = () => kept.disposeAsync();
      return { shop, device, visit, installationId, [Symbol.asyncDispose]: dispose };
    },
    reached: (shop, user) => tokensReached(network, () => shop.send(user, { title: `To ${user}` })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** A tab of a device where Anna has subscribed and is signed in. */
export async function subscribeAnna(shop: Shop, device: FirefoxDevice): Promise<ShopVisit> {
  const visit = new ShopVisit(await device.open(shop.url));
  assert.equal(await visit.subscribe(), 'granted');
  await visit.login('anna');
  await visit.registered('anna');
  return visit;
}

/** The title of everything that is shown. */
export async function titles(visit: ShopVisit): Promise<readonly string[]> {
  return (await visit.shown()).map(({ title }) => title);
}
