// `npm run test:model [-- --runs N --seed N --lanes N]`: the server against the reference model.
import { parseArgs } from 'node:util';
import { createProgress } from '../progress.ts';
import { freshSeed } from '../seeded-random.ts';
import { openGround } from './ground.ts';
import { runModel } from './model-run.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(freshSeed()) },
    lanes: { type: 'string', default: '64' },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);

console.log(`seed ${seed}`);
await using ground = await openGround();
const startedAtMs = performance.now();
const onProgress = createProgress('histories', runs);
const { histories, found } = await runModel(ground, {
  runs,
  seed,
  lanes: Number(values.lanes),
  onProgress,
});
const seconds = (performance.now() - startedAtMs) / 1000;
console.log(
  `${histories} histories, ${found === null ? 0 : 1} violations, seed ${seed}, ` +
    `${seconds.toFixed(0)} s, ${Math.round(histories / seconds)} histories/s`,
);
if (found !== null) {
  console.log(`The shortest history that shows it:${found.violation}`);
  console.log(`Again: npm run test:model -- --seed ${found.seed} --runs ${found.runs} --lanes 1`);
  process.exitCode = 1;
}
