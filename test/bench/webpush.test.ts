import assert from 'node:assert/strict';
import { test } from 'node:test';
import { webPushBenchmark } from '../../bench/webpush.ts';
import { bench, whyNot, type BenchReport } from './bench-run.ts';

test(
  'a short run of `webpush` makes messages with and without threads',
  { skip: whyNot(webPushBenchmark) },
  async () => {
    const load = ['--messages', '200', '--seconds', '1', '--rounds', '1'];
    const run = await bench(['webpush', ...load, '--no-reach', '--json']);
    assert.equal(run.code, 0, run.complaints);
    const { figures } = JSON.parse(run.output) as BenchReport;
    assert.deepEqual(
      figures.map(({ name }) => name),
      ['homing', 'web-push', 'homing, threads', 'openssl'],
    );
    for (const { name, spread } of figures) assert.ok(spread.median > 0, name);
  },
);
