import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { openDatabase } from '../../server/src/store/sql.ts';
import { Deployment } from './deployment.ts';
import { HomingProcess, type CommandEnvironment } from './homing-process.ts';
import { ScratchDirectory } from './scratch-directory.ts';

interface Symptom {
  readonly check: string;
  readonly state: string;
  readonly what: string;
  readonly fix: string | null;
}

describe('homing doctor', () => {
  let scratch: ScratchDirectory;
  let database: TestDatabase;
  let deployment: Deployment;

  before(async () => {
    scratch = await ScratchDirectory.create();
    database = await createTestDatabase();
    deployment = await Deployment.create(scratch, database.url);
  });
  after(async () => {
    await deployment[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  /** What it found that is not good, by its name, and its exit code. */
  async function consult(environment: CommandEnvironment = {}) {
    await using doctor = deployment.run(['doctor', '--json'], environment);
    const { code, output, complaints } = await doctor.end();
    assert.equal(complaints, '');
    const report = JSON.parse(output) as { readonly well: boolean; symptoms: readonly Symptom[] };
    assert.equal(code, report.well ? 0 : 1);
    const named = new Map(report.symptoms.map((symptom) => [symptom.check, symptom]));
    return { code, symptoms: report.symptoms, of: (check: string) => named.get(check) };
  }

  it('finds a deployment well that is, and says so in words', async () => {
    await using worker = deployment.serve('worker');
    await worker.says(/^Homing works/m);
    await using doctor = deployment.run(['doctor']);
    const { code, output } = await doctor.end();
    assert.equal(code, 0, output);
    assert.match(output, /^✓ database: PostgreSQL \d+\.\d+$/m);
    assert.match(output, /^✓ master key: opens all \d+ secrets$/m);
    assert.match(
      output,
      /^✓ credential apns "[A-Z0-9]{10}" of Demo Shop .*its provider takes it$/m,
    );
    assert.match(output, /^✓ credential fcm ".*its provider takes it$/m);
    assert.match(output, /^✓ credential hms ".*its provider takes it$/m);
    assert.match(output, /^✓ credential webpush ".*only a subscription .* can show$/m);
    assert.match(output, /^✓ credential expo ".*only a push can show$/m);
    assert.match(output, /^✓ workers: 1 at work; nothing waits$/m);
    assert.match(output, /^All is well\.$/m);
    assert.equal(deployment.pushes().length, 0);
  });

  it('says that nobody works, and what would help', async () => {
    const { code, of } = await consult();
    assert.equal(code, 0);
    assert.equal(of('workers')?.state, 'warning');
    assert.match(of('workers')?.fix ?? '', /homing serve --role worker/);
  });

  it('tells work that nobody takes up from a quiet hour', async () => {
    await deployment.register('maria', { provider: 'fcm', value: 'x'.repeat(152) });
    await deployment.backEnd.sendToUsers(['maria']);
    const { code, of } = await consult();
    assert.equal(code, 1);
    assert.equal(of('workers')?.state, 'trouble');
    assert.match(of('workers')?.what ?? '', /^0 at work; 1 pieces of work wait/);
  });

  it('names the variable that cannot be used, and looks no further', async () => {
    const { code, symptoms } = await consult({ HOMING_PORT: 'eighty' });
    assert.equal(code, 1);
    assert.equal(symptoms.length, 1);
    assert.match(symptoms[0]?.what ?? '', /HOMING_PORT/);
  });

  it('says when the database is away, or was never migrated', async () => {
    const away = await consult({ HOMING_DATABASE_URL: 'postgres://homing@127.0.0.1:1/homing' });
    assert.equal(away.code, 1);
    assert.match(away.of('database')?.what ?? '', /ECONNREFUSED/);
    const url = database.url.replace(/\/test_[^/?]*/, '/template1');
    const empty = await consult({ HOMING_DATABASE_URL: url });
    assert.equal(empty.of('migrations')?.state, 'trouble');
  });

  it('tells a lost master key from one that is being replaced', async () => {
    const [next, former] = [randomBytes(32).toString('base64'), deployment.masterKey];
    const lost = await consult({ HOMING_MASTER_KEY: next });
    assert.equal(lost.code, 1);
    assert.match(lost.of('master key')?.what ?? '', /does not open/);
    const credential = lost.symptoms.find(({ check }) => check.startsWith('credential apns'));
    assert.match(credential?.what ?? '', /no master key that this process knows/);
    const replaced = { HOMING_MASTER_KEY: next, HOMING_MASTER_KEY_PREVIOUS: former };
    const { of } = await consult(replaced);
    assert.equal(of('master key')?.state, 'warning');
    assert.match(of('master key')?.fix ?? '', /homing rewrap/);
  });

  it('names the provider that is out of reach, and the credential that waits for it', async () => {
    const { of, symptoms } = await consult({ HOMING_APNS_URL: 'https://127.0.0.1:1' });
    assert.match(of('reach of apns')?.what ?? '', /ECONNREFUSED/);
    assert.equal(of('reach of fcm')?.state, 'good');
    const credential = symptoms.find(({ check }) => check.startsWith('credential apns'));
    assert.match(credential?.what ?? '', /cannot be reached/);
  });

  it('passes on what a provider says about a credential', async () => {
    const fault = { kind: 'answer', status: 403, reason: 'InvalidProviderToken' } as const;
    deployment.simulators.apns.faults.schedule({ times: 1, fault });
    const { code, symptoms } = await consult();
    assert.equal(code, 1);
    const credential = symptoms.find(
      ({ state, check }) => state === 'trouble' && check !== 'workers',
    );
    assert.match(credential?.what ?? '', /^keyId: .*InvalidProviderToken$/);
  });

  it('counts the alerts that are open', async () => {
    const db = openDatabase({ url: database.url, maxConnections: 1, applicationName: 'test' });
    await db`
      insert into alert (app_ref, kind, subject, opened_at, last_seen_at)
      select min(app_ref), 'token_contested', 'installation/1', now(), now() from app`;
    await db.end();
    const { of } = await consult();
    assert.equal(of('alerts')?.what, 'open: 1 × token_contested');
  });
});

describe('homing rewrap', () => {
  it('seals everything anew, and the former master key is needed no more', async () => {
    await using scratch = await ScratchDirectory.create();
    await using database = await createTestDatabase();
    await using deployment = await Deployment.create(scratch, database.url);
    const [next, former] = [randomBytes(32).toString('base64'), deployment.masterKey];
    const both = { HOMING_MASTER_KEY: next, HOMING_MASTER_KEY_PREVIOUS: former };

    await using alone = deployment.run(['rewrap'], { HOMING_MASTER_KEY: next });
    const refused = await alone.end();
    assert.equal(refused.code, 1);
    assert.match(refused.output, /^credential \d+: .*HOMING_MASTER_KEY_PREVIOUS/m);
    // A credential of each provider.
    const total = Number(/Left as they were: (\d+)/.exec(refused.output)?.[1]);
    assert.ok(total > 1, refused.output);

    await using rewrap = deployment.run(['rewrap', '--json'], both);
    const { code, output } = await rewrap.end();
    assert.equal(code, 0, output);
    assert.deepEqual(JSON.parse(output), { total, done: total, unopened: [], left: 0 });

    await using again = deployment.run(['rewrap'], both);
    const repeated = await again.end();
    assert.equal(repeated.code, 0);
    assert.match(repeated.output, /^Sealed with the newest master key: 0\. Nothing needs/);

    await deployment.register('maria', { provider: 'fcm', value: `f:APA91b${'x'.repeat(140)}` });
    await deployment.backEnd.sendToUsers(['maria']);
    await using worker = deployment.run(['serve', '--role', 'worker'], { HOMING_MASTER_KEY: next });
    await deployment.pushesArrived(1, 60_000);
    await worker.stop();
  });

  it('is refused without a master key', async () => {
    await using rewrap = new HomingProcess(['rewrap'], {
      HOMING_DATABASE_URL: 'postgres://homing@127.0.0.1:1/homing',
    });
    const { code, complaints } = await rewrap.end();
    assert.deepEqual([code, complaints.split(':')[1]?.trim()], [2, 'HOMING_MASTER_KEY']);
  });
});
