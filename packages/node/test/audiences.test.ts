import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startNetwork, type Network } from '../../../test/network.ts';
import { createHoming, HomingError, type AudienceLine, type Homing } from '../src/index.ts';

const UPLOAD = fileURLToPath(new URL('upload-main.ts', import.meta.url));
/** The whole million takes a minute, and is for whoever changes the upload. */
const LINES = Number(process.env['HOMING_TEST_AUDIENCE_LINES'] ?? 200_000);
const MEGABYTE = 1024 * 1024;
const run = promisify(execFile);

let network: Network;
let homing: Homing;
before(async () => {
  network = await startNetwork({ role: 'api' });
  homing = createHoming({ baseUrl: network.url, secretKey: network.app.secretKey });
});
after(() => network[Symbol.asyncDispose]());

/** A source that tells how far it was read and whether it was closed. */
function watchedSource(lineAt: (index: number) => AudienceLine) {
  const state = { read: 0, isClosed: false };
  async function* lines(): AsyncGenerator<AudienceLine> {
    try {
      for (;;) {
        yield lineAt(state.read);
        state.read += 1;
      }
    } finally {
      state.isClosed = true;
    }
  }
  return { state, lines: lines() };
}

test('a list is made of whatever can be walked through', async () => {
  const installation = randomUUID();
  const line = { user: 'maria', variables: { name: 'Mária – 玛' } };
  const sources = [
    [{ user: 'sara' }, line, { installation }],
    new Set([{ user: 'sara' }, line, { installation }]),
    () => [{ user: 'sara' }, line, { installation }, line],
  ];
  for (const source of sources) {
    const { id, members } = await homing.audiences.create(source);
    assert.equal(members, 3);
    const report = await homing.audiences.get(id);
    assert.deepEqual([report.users, report.installations, report.has_variables], [2, 1, true]);
  }
});

test('an upload is given up at the first refusal, and its source closed', async () => {
  const endless = watchedSource(() => ({ user: '', variables: { code: randomUUID() } }));

  await assert.rejects(homing.audiences.create(endless.lines), (error) => {
    assert.ok(error instanceof HomingError);
    assert.deepEqual([error.code, error.status], ['validation_failed', 422]);
    assert.equal(error.errors[0]?.pointer, '/lines/1/user');
    return true;
  });

  await endless.lines.return(undefined);
  assert.ok(endless.state.isClosed);
});

test('what the source throws is thrown, once, and nothing is made', async () => {
  const broken = new Error('the customers are gone');
  const lines = watchedSource((index) => {
    if (index === 50_000) throw broken;
    return { user: `user-${index}` };
  });
  await assert.rejects(homing.audiences.create(lines.lines), broken);
  assert.equal(lines.state.read, 50_000);

  let beginnings = 0;
  const anew = () => {
    beginnings += 1;
    throw broken;
  };
  await assert.rejects(homing.audiences.create(anew), broken);
  assert.equal(beginnings, 1);
});

test("the caller's signal ends an upload and closes its source", async () => {
  const left = new AbortController();
  const reason = new Error('never mind');
  const endless = watchedSource((index) => {
    if (index === 20_000) left.abort(reason);
    return { user: `user-${index}` };
  });
  await assert.rejects(homing.audiences.create(endless.lines, { signal: left.signal }), reason);
  await endless.lines.return(undefined);
  assert.ok(endless.state.isClosed);
});

test(`a list of ${LINES} lines is uploaded in constant memory`, async (t) => {
  const { stdout } = await run(
    process.execPath,
    ['--conditions=source', '--expose-gc', UPLOAD, network.url, String(LINES)],
    { env: { SECRET_KEY: network.app.secretKey } },
  );
  const { members, megabytes, growth, peak } = JSON.parse(stdout) as Record<string, number>;
  t.diagnostic(`${megabytes?.toFixed(0)} MB of lines, memory grew by ${growth?.toFixed(1)} MB`);
  t.diagnostic(`at most ${peak?.toFixed(1)} MB in use`);

  assert.equal(members, LINES);
  // What is on its way, in some buffers; the list itself is many times that.
  assert.ok(Number(growth) < 12, `grew by ${growth} MB`);
  assert.ok((LINES * 200) / MEGABYTE > 3 * Number(growth));
});
