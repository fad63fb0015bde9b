// The page of a shop that has a build, and the SDK in it.
import { shopFunctions } from './functions.js';
import { createPush } from './sdk/web.js';

/** Resolves when the page has started. */
globalThis.shop = open();

async function open() {
  const push = createPush(await (await fetch('/settings')).json());
  await push.init();
  return shopFunctions(push);
}
