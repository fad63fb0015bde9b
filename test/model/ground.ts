import assert from 'node:assert/strict';
import type { Overrides, ProvisionedApp } from '@homing/server';
import { createFrozenClock } from '../clock.ts';
import { startNetwork, type Network } from '../network.ts';
import { Door } from './door.ts';
import type { AccountMode } from './operation.ts';
import { Postman } from './postman.ts';

/** What all histories of a run share: one server and what it takes to talk to it. */
export interface Ground {
  readonly network: Network;
  readonly door: Door;
  readonly apps: Readonly<Record<AccountMode, ProvisionedApp>>;
  readonly postman: Postman;
  /** The second that the server's clock stands at: second 0 of every history. */
  readonly second: number;
  /** Moves on to the next second; only while no history is under way. */
  nextSecond(): Promise<void>;
}

/** A ground that its owner has to leave. */
export interface OwnedGround extends Ground, AsyncDisposable {}

/**
 * Boots a network whose clock stands still, so that a history has the same answers however many
 * others run beside it: what is older and newer, packets say by sequences and assertions by times
 * that a history counts from second 0. A planted bug takes the place of the product's decision.
 */
export async function openGround(plant: Pick<Overrides, 'decideSync'> = {}): Promise<OwnedGround> {
  await using stack = new AsyncDisposableStack();
  const clock = createFrozenClock();
  const network = stack.use(await startNetwork({ clock, overrides: plant }));
  const door = stack.use(new Door(network.url));
  const apps = { exclusive: network.app, multi: await provisionMulti(network, door) };
  const owned = stack.move();
  return {
    network,
    door,
    apps,
    postman: new Postman(network, door),
    get second() {
      return Math.floor(clock.now().getTime() / 1000);
    },
    nextSecond: () => clock.advance(1000 - (clock.now().getTime() % 1000)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** An app in which several users may be signed in on one installation. */
async function provisionMulti(network: Network, door: Door): Promise<ProvisionedApp> {
  const app = await network.provision();
  const headers = { authorization: `Bearer ${app.secretKey}` };
  const answer = await door.request('PATCH', '/v1/app', headers, { account_mode: 'multi' });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return app;
}
