import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { on } from 'node:events';
import { watch } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { request } from '../../../test/answer.ts';
import { createTestDatabase } from '../../../test/database.ts';
import { processesOn, readBanner, startDev, takePort, type Banner } from './dev-process.ts';
import { ScratchDirectory } from './scratch-directory.ts';

const runFile = promisify(execFile);

/** Runs a printed command as a shell would after a paste. */
async function paste(command: string | undefined): Promise<string> {
  assert(command !== undefined);
  const curl = command.replace(/^curl /, 'curl --silent --show-error --fail-with-body ');
  const { stdout } = await runFile('bash', ['-c', curl]);
  return stdout;
}

async function sendTo42(banner: Banner): Promise<void> {
  const answer = await request(`${banner.apiUrl}/v1/notifications`, {
    method: 'POST',
    headers: { authorization: `Bearer ${banner.secretKey}` },
    body: { audience: { users: ['42'] }, content: { title: 'Still here' } },
  });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
}

// One directory for all, in this order: a start finds the data of the one before.
describe('homing dev', () => {
  let scratch: ScratchDirectory;
  let directory: string;
  let first: Banner;

  before(async () => {
    scratch = await ScratchDirectory.create();
    directory = scratch.next();
  });
  after(() => scratch[Symbol.asyncDispose]());

  it('serves on a fresh directory, and the printed commands work as printed', async () => {
    await using dev = startDev(directory);
    first = await readBanner(dev);
    assert.equal((await request(`${first.apiUrl}/readyz`)).status, 200);
    assert.equal(first.commands.length, 3);

    const [register, send, look] = first.commands;
    assert.match(await paste(register), /"id"/);
    assert.match(await paste(send), /"ntf_/);
    await dev.says(/APNs showed on phone \w{8}: Your order has shipped — Parcel 12345/);
    assert.match(await paste(look), /"sentence"/);

    const ending = await dev.stop('SIGINT');
    assert.deepEqual([ending.code, ending.complaints], [0, '']);
  });

  it('has everything again at the second start: the keys, the phone, its user', async () => {
    await using dev = startDev(directory);
    const banner = await readBanner(dev);
    assert.equal(banner.secretKey, first.secretKey);
    assert.equal(banner.publishableKey, first.publishableKey);
    await sendTo42(banner);
    await dev.says(/APNs showed on phone \w{8}: Still here/);
    assert.equal((await dev.stop()).code, 0);
  });

  it('leaves no process and no port behind after SIGINT and after SIGTERM', async () => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      await using dev = startDev(directory);
      const { apiUrl, inspectionUrl } = await readBanner(dev);
      assert.notDeepEqual(await processesOn(directory), []);
      const ending = await dev.stop(signal);
      assert.deepEqual([ending.code, ending.complaints], [0, ''], signal);
      assert.deepEqual(await processesOn(directory), [], signal);
      for (const url of [apiUrl, inspectionUrl]) {
        await using taken = await takePort(Number(new URL(url).port));
        assert(taken.port > 0);
      }
    }
  });

  it('takes Ctrl-C, which a terminal sends to the whole group, and a launcher repeats', async () => {
    await using dev = startDev(directory);
    await readBanner(dev);
    dev.interruptGroup();
    // Another signal than the first, as the kernel would merge two of a kind.
    dev.signal('SIGTERM');
    const ending = await dev.end();
    assert.deepEqual([ending.code, ending.complaints], [0, '']);
    assert.doesNotMatch(ending.output, /unexpectedly/);
    assert.deepEqual(await processesOn(directory), []);
  });

  it('tells a second start on the same directory, in one line, which process has it', async () => {
    await using owner = startDev(directory);
    await readBanner(owner);
    await using second = startDev(directory);
    const { code, complaints } = await second.end();
    assert.equal(code, 1);
    assert.match(complaints, new RegExp(`^homing: .*\\b${owner.pid}\\b.*\\n$`));
    assert.equal((await owner.stop()).code, 0);
  });

  it('starts again after kill -9, and sends what had been accepted before', async () => {
    await using killed = startDev(directory);
    const banner = await readBanner(killed);
    const silence = { provider: 'apns', fault: { kind: 'silence' } };
    const body = { ...silence, environment: 'sandbox' };
    const scheduled = await request(`${banner.inspectionUrl}/faults`, { method: 'POST', body });
    assert.equal(scheduled.status, 201);
    await sendTo42(banner);
    await killed.says(/APNs refused a push to phone \w{8}: no answer/);
    await killed.kill();

    await using dev = startDev(directory);
    const again = await readBanner(dev);
    assert.equal(again.secretKey, banner.secretKey);
    await dev.says(/APNs showed on phone \w{8}: Still here/);
    assert.equal((await dev.stop()).code, 0);
  });

  it('uses the database of DATABASE_URL instead of the embedded one', async () => {
    await using database = await createTestDatabase();
    const place = scratch.next();
    await using dev = startDev(place, { DATABASE_URL: database.url });
    const banner = await readBanner(dev);
    assert.match(dev.output, /Database +PostgreSQL of DATABASE_URL/);
    assert.equal((await processesOn(place)).length, 1);
    await paste(banner.commands[0]);
    await sendTo42(banner);
    await dev.says(/APNs showed on phone \w{8}: Still here/);
    assert.equal((await dev.stop()).code, 0);
  });
});

describe('a first start of homing dev', () => {
  it('that is interrupted half-way says so in one line, and the next start works', async () => {
    await using scratch = await ScratchDirectory.create();
    const place = scratch.next();
    const directory = join(place, 'postgres');
    await mkdir(directory, { recursive: true });
    using cleanUp = new DisposableStack();
    const watcher = cleanUp.adopt(watch(directory), (open) => open.close());
    const changes = on(watcher, 'change', { signal: AbortSignal.timeout(60_000) });
    await using interrupted = startDev(place);
    for await (const [, name] of changes) if (String(name).startsWith('data.new')) break;
    interrupted.interruptGroup();
    const { code, complaints } = await interrupted.end();
    // When nothing that it had started was hit by the signal, it stops as at any other time.
    assert.match(complaints, /^(homing: stopped while it was starting\n)?$/);
    assert.equal(code, complaints === '' ? 0 : 1);
    assert.deepEqual(await processesOn(place), []);

    await using dev = startDev(place);
    await readBanner(dev);
    assert.equal((await dev.stop()).code, 0);
  });
});

describe('two first starts of homing dev at the same time', () => {
  it('leave one that serves, with keys that still fit its simulators at the next start', async () => {
    await using scratch = await ScratchDirectory.create();
    const directory = scratch.next();
    await using one = startDev(directory);
    await using other = startDev(directory);
    const winner = await Promise.any([
      readBanner(one).then(() => one),
      readBanner(other).then(() => other),
    ]);
    const { code, complaints } = await (winner === one ? other : one).end();
    assert.equal(code, 1);
    assert.match(complaints, new RegExp(`^homing: .*\\b${winner.pid}\\b.*\\n$`));
    assert.equal((await winner.stop()).code, 0);

    await using again = startDev(directory);
    const banner = await readBanner(again);
    await paste(banner.commands[0]);
    await sendTo42(banner);
    await again.says(/APNs showed on phone \w{8}: Still here/);
    assert.equal((await again.stop()).code, 0);
  });
});
