import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { rateFigure } from '../../bench/figure.ts';
import { atLeast, atMost, isMet, reachLine, reachObject } from '../../bench/reach.ts';
import { bench } from './bench-run.ts';

describe('the command of the benchmarks', () => {
  test('a program that is missing is named with its Debian package', async () => {
    const { code, complaints } = await bench(['registry'], { PATH: '/nonexistent' });
    assert.equal(code, 2);
    assert.match(complaints, /wrk \(Debian: wrk\), pgbench \(Debian: postgresql\)/);
  });

  test('a name that is none is answered with those there are', async () => {
    const { code, complaints } = await bench(['registri']);
    assert.equal(code, 2);
    assert.match(complaints, /^ {2}registry .+\n {2}start .+$/m);
  });

  test('an option that is none is refused, and a number that is none as well', async () => {
    const runs = await Promise.all([
      bench(['start', '--rows', '5']),
      bench(['start', '--rounds', 'many']),
    ]);
    for (const { code } of runs) assert.equal(code, 2);
    assert.match(runs[0].complaints, /start knows --rounds and no --rows/);
    assert.match(runs[1].complaints, /--rounds takes a whole number from 1, not many/);
  });
});

describe('what is printed', () => {
  test('a figure is the median of its rounds, with processor time per operation', () => {
    const rounds = [100, 400, 200, 300].map((operations) => ({
      operations,
      seconds: 2,
      cpuSeconds: { homing: operations / 1_000, load: 1 },
      peakRssBytes: operations,
    }));
    const figure = rateFigure('writes', rounds);
    assert.deepEqual(figure.spread, { median: 125, min: 50, max: 200 });
    assert.equal(figure.cpuMicroseconds['homing'], 1_000);
    assert.equal(figure.peakRssBytes, 400);
  });

  test('a reach is met on its bound and not beyond it', () => {
    assert.ok(isMet(atLeast('mix', 2, 2)));
    assert.ok(!isMet(atLeast('mix', 1.99, 2)));
    assert.ok(isMet(atMost('start', 1, 1)));
    assert.ok(!isMet(atMost('start', Number.NaN, 1)));
    assert.equal(reachLine(atMost('start in s', 1.234, 1)), 'start in s: 1.23 (<= 1) NOT MET');
    assert.deepEqual(reachObject(atLeast('mix', 2.5, 2)), {
      what: 'mix',
      value: 2.5,
      at_least: 2,
      met: true,
    });
  });
});
