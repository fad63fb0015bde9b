// The short form of what `npm run test:crash -- denied` does with more pushes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNetwork } from '../network.ts';
import { denyAcceptances } from './denied-acceptance.ts';

const EVERY = 100;
const PEOPLE = 500;
const NOTIFICATIONS = 2;

test('of pushes that are taken and denied with a 503, each is repeated, and told', async (t) => {
  await using network = await startNetwork();
  const options = { every: EVERY, people: PEOPLE, notifications: NOTIFICATIONS };
  const counts = await denyAcceptances(network, options);
  t.diagnostic(JSON.stringify(counts));
  assert(counts.repeats > 0);
  assert(counts.repeats <= counts.recipients / EVERY);
});
