import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { fenceBenchmark } from '../../bench/fence.ts';
import { bench, whyNot, type BenchReport } from './bench-run.ts';

describe('the benchmark of the fence', () => {
  test(
    'a short run of `fence` signs out while it sends',
    { skip: whyNot(fenceBenchmark) },
    async () => {
      const load = ['--rows', '20000', '--rate', '500', '--seconds', '1', '--rounds', '1'];
      const run = await bench(['fence', ...load, '--no-reach', '--json']);
      assert.equal(run.code, 0, run.complaints);
      const { figures, notes } = JSON.parse(run.output) as BenchReport;
      assert.deepEqual(
        figures.map(({ name }) => name),
        ['logout, p50', 'logout, p99', 'pushes meanwhile'],
      );
      assert.match(notes.join('\n'), /^After \d+ of 200 logouts/m);
    },
  );
});
