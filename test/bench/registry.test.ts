import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { registryBenchmark } from '../../bench/registry.ts';
import { bench, whyNot, type BenchReport } from './bench-run.ts';

describe('the benchmark of the registry', () => {
  test(
    'a short run of `registry` loses no packet and reports as JSON',
    { skip: whyNot(registryBenchmark) },
    async () => {
      // Few connections, so that the first answers come early on a machine that has other work.
      const load = ['--seconds', '1', '--rounds', '1', '--connections', '8'];
      const run = await bench(['registry', '--rows', '20000', ...load, '--no-reach', '--json']);
      assert.equal(run.code, 0, run.complaints);
      const report = JSON.parse(run.output) as BenchReport;
      assert.equal(report.name, 'registry');
      assert.deepEqual(
        report.figures.map(({ name }) => name),
        ['pgbench upsert', 'everyday mix', 'changing writes', 'check-ins only'],
      );
      for (const { name, spread, cpuMicroseconds } of report.figures) {
        assert.ok(spread.median > 0, name);
        assert.ok(name === 'pgbench upsert' || (cpuMicroseconds['homing'] ?? 0) > 0, name);
      }
      assert.match(report.notes.join('\n'), /^[1-9]\d* unchanged check-ins wrote no row\.$/m);
      assert.match(report.notes.join('\n'), /^[1-9]\d* acknowledged packets were compared/m);
      assert.deepEqual(report.reach, []);
    },
  );
});
