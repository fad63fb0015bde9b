import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { wireFcmBenchmark } from '../../bench/wire-fcm.ts';
import { wireBenchmark } from '../../bench/wire.ts';
import { bench, whyNot, type BenchReport } from './bench-run.ts';

describe('the benchmarks of the wire', () => {
  test(
    'a short run of `wire` sends over every client',
    { skip: whyNot(wireBenchmark) },
    async () => {
      const load = ['--requests', '500', '--streams', '50', '--rounds', '1'];
      const run = await bench(['wire', ...load, '--no-reach', '--json']);
      assert.equal(run.code, 0, run.complaints);
      const { figures } = JSON.parse(run.output) as BenchReport;
      assert.deepEqual(
        figures.map(({ name }) => name),
        [
          'homing, nginx',
          'h2load, nginx',
          'node:http2, nginx',
          '@parse/node-apn, nginx',
          'homing, nghttpd',
          'h2load, nghttpd',
          'node:http2, nghttpd',
        ],
      );
      for (const { name, spread } of figures) assert.ok(spread.median > 0, name);
    },
  );

  test(
    'a short run of `wire-fcm` sends over both',
    { skip: whyNot(wireFcmBenchmark) },
    async () => {
      const load = ['--requests', '600', '--streams', '50', '--rounds', '1'];
      const run = await bench(['wire-fcm', ...load, '--no-reach', '--json']);
      assert.equal(run.code, 0, run.complaints);
      const { figures } = JSON.parse(run.output) as BenchReport;
      assert.deepEqual(
        figures.map(({ name }) => name),
        ['homing FCM', 'firebase-admin'],
      );
      for (const { name, spread } of figures) assert.ok(spread.median > 0, name);
    },
  );
});
