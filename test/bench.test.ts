import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { campaignBenchmark } from '../bench/campaign.ts';
import { fenceBenchmark } from '../bench/fence.ts';
import { rateFigure } from '../bench/figure.ts';
import { atLeast, atMost, isMet, reachLine, reachObject } from '../bench/reach.ts';
import { PGBENCH } from '../bench/registry/pgbench.ts';
import { WRK } from '../bench/registry/wrk.ts';
import { INSTALL_REFERENCES, missingLibraries } from '../bench/reference-library.ts';
import { missingTools, type Tool } from '../bench/tool.ts';
import { transactionalBenchmark } from '../bench/transactional.ts';
import { wireFcmBenchmark } from '../bench/wire-fcm.ts';
import { wireBenchmark } from '../bench/wire.ts';

interface Run {
  readonly code: number;
  readonly output: string;
  readonly complaints: string;
}

interface Report {
  readonly name: string;
  readonly figures: readonly {
    readonly name: string;
    readonly spread: { readonly median: number };
    readonly cpuMicroseconds: Readonly<Record<string, number>>;
  }[];
  readonly notes: readonly string[];
  readonly reach: readonly unknown[];
}

const MAIN = fileURLToPath(new URL('../bench/main.ts', import.meta.url));

async function bench(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<Run> {
  const argv = ['--conditions=source', '--no-warnings', MAIN, ...args];
  const child = spawn(process.execPath, argv, { env: { ...process.env, ...environment } });
  const [output, complaints, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number]>,
  ]);
  return { code, output, complaints };
}

const skip = whyNot([WRK, PGBENCH], []);

/** Why a benchmark cannot be run here; false when it can. */
function whyNot(tools: readonly Tool[], libraries: readonly string[]): string | false {
  const missing = missingTools(tools).map((tool) => tool.packageName);
  if (missing.length > 0) return `install Debian's ${missing.join(' and ')}`;
  return missingLibraries(libraries).length > 0 && INSTALL_REFERENCES;
}

describe('the benchmarks', () => {
  test('a short run of `registry` loses no packet and reports as JSON', { skip }, async () => {
    // Few connections, so that the first answers come early on a machine that has other work.
    const load = ['--seconds', '1', '--rounds', '1', '--connections', '8'];
    const run = await bench(['registry', '--rows', '20000', ...load, '--no-reach', '--json']);
    assert.equal(run.code, 0, run.complaints);
    const report = JSON.parse(run.output) as Report;
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
  });

  const noWire = whyNot(wireBenchmark.tools, wireBenchmark.libraries);
  test('a short run of `wire` sends over every client', { skip: noWire }, async () => {
    const load = ['--requests', '500', '--streams', '50', '--rounds', '1'];
    const run = await bench(['wire', ...load, '--no-reach', '--json']);
    assert.equal(run.code, 0, run.complaints);
    const { figures } = JSON.parse(run.output) as Report;
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
  });

  const noFcm = whyNot(wireFcmBenchmark.tools, wireFcmBenchmark.libraries);
  test('a short run of `wire-fcm` sends over both', { skip: noFcm }, async () => {
    const load = ['--requests', '600', '--streams', '50', '--rounds', '1'];
    const run = await bench(['wire-fcm', ...load, '--no-reach', '--json']);
    assert.equal(run.code, 0, run.complaints);
    const { figures } = JSON.parse(run.output) as Report;
    assert.deepEqual(
      figures.map(({ name }) => name),
      ['homing FCM', 'firebase-admin'],
    );
    for (const { name, spread } of figures) assert.ok(spread.median > 0, name);
  });

  const noCampaign = whyNot(campaignBenchmark.tools, campaignBenchmark.libraries);
  test('a short run of `campaign` accounts for everybody', { skip: noCampaign }, async () => {
    const load = ['--rows', '2000', '--requests', '500', '--rounds', '1'];
    const run = await bench(['campaign', ...load, '--no-reach', '--json']);
    assert.equal(run.code, 0, run.complaints);
    const { figures, notes } = JSON.parse(run.output) as Report;
    assert.deepEqual(
      figures.map(({ name }) => name),
      ['wire', 'campaign'],
    );
    for (const { name, spread } of figures) assert.ok(spread.median > 0, name);
    assert.match(notes.join('\n'), /had an outcome for every installation/);
  });

  const noSends = whyNot(transactionalBenchmark.tools, transactionalBenchmark.libraries);
  test('a short run of `transactional` times every send', { skip: noSends }, async () => {
    const load = ['--rows', '2000', '--rate', '20', '--seconds', '1', '--rounds', '1'];
    const run = await bench(['transactional', ...load, '--no-reach', '--json']);
    assert.equal(run.code, 0, run.complaints);
    const { figures } = JSON.parse(run.output) as Report;
    assert.deepEqual(
      figures.map(({ name }) => name),
      ['bare', 'idle', 'beside a campaign', 'beside a paced one'].flatMap((name) => [
        `${name}, p50`,
        `${name}, p99`,
      ]),
    );
    for (const { name, spread } of figures) assert.ok(spread.median > 0, name);
  });

  const noFence = whyNot(fenceBenchmark.tools, fenceBenchmark.libraries);
  test('a short run of `fence` signs out while it sends', { skip: noFence }, async () => {
    const load = ['--rows', '20000', '--rate', '500', '--seconds', '1', '--rounds', '1'];
    const run = await bench(['fence', ...load, '--no-reach', '--json']);
    assert.equal(run.code, 0, run.complaints);
    const { figures, notes } = JSON.parse(run.output) as Report;
    assert.deepEqual(
      figures.map(({ name }) => name),
      ['logout, p50', 'logout, p99', 'pushes meanwhile'],
    );
    assert.match(notes.join('\n'), /^After \d+ of 200 logouts/m);
  });

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
