// The short form of what `npm run test:crash -- freeze` does for longer.
import { test } from 'node:test';
import { LIMITS } from '@homing/server';
import { startNetwork } from '../network.ts';
import { createSeededRandom, freshSeed } from '../seeded-random.ts';
import { freezeWorker } from './frozen-worker.ts';

test('a worker that wakes after its leases have passed on sends and writes nothing', async (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  await using network = await startNetwork({ role: 'api' });
  const counts = await freezeWorker(network, { freezeMs: LIMITS.leaseMs + 1_000, random });
  t.diagnostic(JSON.stringify(counts));
});
