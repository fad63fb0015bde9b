// The short form of what `npm run test:fuzz` runs for long.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSeededRandom, freshSeed } from '../../../../test/seeded-random.ts';
import { createDecoderTarget } from './decoder-target.ts';
import { fuzz } from './fuzz.ts';

const INPUTS = 20_000;

test('the HPACK decoder stands whatever a peer may send', async (t) => {
  const random = createSeededRandom(freshSeed());
  t.diagnostic(`seed ${random.seed}`);
  const report = await fuzz(createDecoderTarget(), { inputs: INPUTS, random });
  t.diagnostic(JSON.stringify(report));
  const { accepted, refused } = report;
  assert(accepted > INPUTS / 10 && refused > INPUTS / 10, 'both are put to the test');
});
