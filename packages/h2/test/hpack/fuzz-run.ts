// `npm run test:fuzz -- [--inputs 1000000] [--seed N]`: what a peer may send, valid, mutated and
// random, against what reads it.
import { parseArgs } from 'node:util';
import { createProgress } from '../../../../test/progress.ts';
import { createSeededRandom, freshSeed } from '../../../../test/seeded-random.ts';
import { createConnectionTarget } from '../connection-target.ts';
import { createDecoderTarget } from './decoder-target.ts';
import { fuzz } from './fuzz.ts';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(freshSeed()) },
  },
});
const inputs = Number(values.inputs);
const seed = Number(values.seed);

console.log(`seed ${seed}`);
for (const target of [createDecoderTarget(), createConnectionTarget()]) {
  const onInput = createProgress(target.name, inputs);
  const report = await fuzz(target, { inputs, random: createSeededRandom(seed), onInput });
  console.log(`${target.name}: ${JSON.stringify(report)}`);
}
