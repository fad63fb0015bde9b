import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { transactionalBenchmark } from '../../bench/transactional.ts';
import { bench, whyNot, type BenchReport } from './bench-run.ts';

describe('the benchmark of single sends', () => {
  test(
    'a short run of `transactional` times every send',
    { skip: whyNot(transactionalBenchmark) },
    async () => {
      const load = ['--rows', '2000', '--rate', '20', '--seconds', '1', '--rounds', '1'];
      const run = await bench(['transactional', ...load, '--no-reach', '--json']);
      assert.equal(run.code, 0, run.complaints);
      const { figures } = JSON.parse(run.output) as BenchReport;
      assert.deepEqual(
        figures.map(({ name }) => name),
        ['bare', 'idle', 'beside a campaign', 'beside a paced one'].flatMap((name) => [
          `${name}, p50`,
          `${name}, p99`,
        ]),
      );
      for (const { name, spread } of figures) assert.ok(spread.median > 0, name);
    },
  );
});
