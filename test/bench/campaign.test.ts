import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { campaignBenchmark } from '../../bench/campaign.ts';
import { bench, whyNot, type BenchReport } from './bench-run.ts';

describe('the benchmark of a campaign', () => {
  test(
    'a short run of `campaign` accounts for everybody',
    { skip: whyNot(campaignBenchmark) },
    async () => {
      const load = ['--rows', '2000', '--requests', '500', '--rounds', '1'];
      const run = await bench(['campaign', ...load, '--no-reach', '--json']);
      assert.equal(run.code, 0, run.complaints);
      const { figures, notes } = JSON.parse(run.output) as BenchReport;
      assert.deepEqual(
        figures.map(({ name }) => name),
        ['wire', 'campaign'],
      );
      for (const { name, spread } of figures) assert.ok(spread.median > 0, name);
      assert.match(notes.join('\n'), /had an outcome for every installation/);
    },
  );
});
