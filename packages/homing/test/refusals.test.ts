import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { after, before, describe, it } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { openDatabase } from '../../server/src/store/sql.ts';
import { processesOn, startDev, takePort } from './dev-process.ts';
import { HomingProcess, type CommandEnvironment } from './homing-process.ts';
import { ScratchDirectory } from './scratch-directory.ts';

/** A command line that cannot be followed, and what its one line of complaint has to name. */
const BAD_COMMANDS: readonly (readonly [readonly string[], RegExp])[] = [
  [['dev', '--port', '99999'], /--port/],
  [['dev', '--port', 'eighty'], /--port/],
  [['dev', '--simulator-port', '65533'], /--simulator-port/],
  [['dev', '--prot', '8700'], /--prot/],
  [['dev', '--data'], /--data/],
  [['dev', 'here'], /'dev'.*here/],
  [['sim', '--port', '1'], /--port/],
  [['serve', '--role', 'chef'], /--role/],
  [['sevre'], /sevre/],
];

const MASTER_KEY = Buffer.alloc(32, 7).toString('base64');

/** One wrong setting of `homing serve` each, where everything else is fine. */
const BAD_SETTINGS: readonly (readonly [string, string])[] = [
  ['HOMING_DATABASE_URL', 'mysql://127.0.0.1/shop'],
  ['HOMING_DATABASE_URL', 'postgres://homing:secret@:port/shop'],
  ['HOMING_DATABASE_DIRECT_URL', 'on'],
  ['HOMING_DATABASE_CONNECTIONS', '1'],
  ['HOMING_HOST', 'no..host'],
  ['HOMING_HOST', '203.0.113.1'],
  ['HOMING_PORT', 'http'],
  ['HOMING_ROLE', 'chef'],
  ['HOMING_LOG_LEVEL', 'loud'],
  ['HOMING_TRUSTED_PROXIES', 'the-proxy'],
  ['HOMING_TLS_CERT_FILE', '/nowhere/cert.pem'],
  ['HOMING_MASTER_KEY', 'c2hvcnQ='],
  ['HOMING_APNS_URL', 'http://127.0.0.1:1'],
  ['HOMING_APNS_SANDBOX_URL', 'sandbox'],
  ['HOMING_FCM_URL', ''],
  ['HOMING_GOOGLE_TOKEN_URL', 'http://127.0.0.1/token'],
  ['HOMING_PROVIDER_CA_FILE', '/nowhere/ca.pem'],
];

async function refusal(homing: HomingProcess): Promise<string> {
  const { code, output, complaints } = await homing.end();
  assert.deepEqual([code, output], [2, ''], complaints);
  assert.match(complaints, /^homing: [^\n]+\n$/);
  return complaints;
}

describe('what homing refuses to start with', () => {
  let scratch: ScratchDirectory;
  let database: TestDatabase;

  before(async () => {
    scratch = await ScratchDirectory.create();
    database = await createTestDatabase();
  });
  after(async () => {
    await database[Symbol.asyncDispose]();
    await scratch[Symbol.asyncDispose]();
  });

  const serve = (environment: CommandEnvironment): HomingProcess =>
    new HomingProcess(['serve'], {
      HOMING_DATABASE_URL: database.url,
      HOMING_MASTER_KEY: MASTER_KEY,
      HOMING_PORT: '0',
      HOMING_LOG_LEVEL: 'error',
      ...environment,
    });

  for (const [args, named] of BAD_COMMANDS) {
    it(`names what is wrong with "homing ${args.join(' ')}"`, async () => {
      await using homing = new HomingProcess(args);
      assert.match(await refusal(homing), named);
    });
  }

  for (const [name, value] of BAD_SETTINGS) {
    it(`names ${name} when it is "${value}"`, async () => {
      await using homing = serve({ [name]: value });
      const complaint = await refusal(homing);
      assert.match(complaint, new RegExp(`\\b${name}\\b`));
      assert.doesNotMatch(complaint, /secret|c2hvcnQ/);
    });
  }

  it('names the variable that the database is really taken from', async () => {
    await using homing = new HomingProcess(['serve'], { DATABASE_URL: 'mysql://127.0.0.1/shop' });
    assert.match(await refusal(homing), /homing: DATABASE_URL/);
  });

  it('asks for a database and for a master key when there is none', async () => {
    await using bare = new HomingProcess(['serve']);
    assert.match(await refusal(bare), /HOMING_DATABASE_URL.*homing dev/);
    await using keyless = new HomingProcess(['serve'], { HOMING_DATABASE_URL: database.url });
    assert.match(await refusal(keyless), /HOMING_MASTER_KEY.*openssl/);
  });

  it('names files that hold something else than what they are for', async () => {
    const junk = scratch.next();
    await writeFile(junk, 'neither a certificate nor a key');
    await using tls = serve({ HOMING_TLS_CERT_FILE: junk, HOMING_TLS_KEY_FILE: junk });
    assert.match(await refusal(tls), /HOMING_TLS_CERT_FILE/);
    await using authority = serve({ HOMING_PROVIDER_CA_FILE: junk });
    assert.match(await refusal(authority), /HOMING_PROVIDER_CA_FILE/);
    await using key = new HomingProcess(['serve'], {
      HOMING_DATABASE_URL: database.url,
      HOMING_MASTER_KEY_FILE: junk,
    });
    assert.match(await refusal(key), /HOMING_MASTER_KEY_FILE/);
  });

  it('names a port of the API that somebody else has', async () => {
    await using taken = await takePort();
    await using homing = serve({ HOMING_PORT: String(taken.port) });
    assert.match(await refusal(homing), new RegExp(`\\b${taken.port}\\b.*HOMING_PORT`));
  });

  it('stops everything again when homing dev finds a port taken', async () => {
    const directory = scratch.next();
    await using taken = await takePort();
    for (const option of ['--port', '--simulator-port']) {
      await using dev = startDev(directory, {}, [option, String(taken.port)]);
      assert.match(await refusal(dev), new RegExp(`\\b${taken.port}\\b.*${option}`));
      assert.deepEqual(await processesOn(directory), []);
    }
  });

  it('uses no master key of its own in homing dev when the operator names a file', async () => {
    const directory = scratch.next();
    const HOMING_MASTER_KEY_FILE = '/nowhere/master.key';
    await using dev = startDev(directory, { DATABASE_URL: database.url, HOMING_MASTER_KEY_FILE });
    assert.match(await refusal(dev), /HOMING_MASTER_KEY_FILE/);
    assert.deepEqual(await readdir(directory), ['simulators.json']);
  });

  it('says in one line that the database cannot be used, and fails', async () => {
    const nobody = 'postgres://postgres@127.0.0.1:1/homing';
    const missing = database.url.replace(/\/[^/?]*(\?|$)/, '/no_such_database$1');
    for (const url of [nobody, missing]) {
      await using homing = serve({ HOMING_DATABASE_URL: url });
      const { code, complaints } = await homing.end();
      assert.equal(code, 1);
      assert.match(complaints, /^homing: [^\n]*database[^\n]*HOMING_DATABASE_URL[^\n]*\n$/);
    }
  });

  it('says in one line that the database is newer than the program', async () => {
    const options = { url: database.url, maxConnections: 1, applicationName: 'test' };
    const sql = openDatabase(options);
    await sql`insert into schema_migration (number, name, checksum) values (9999, 'later', '')`;
    await sql.end();
    await using homing = serve({});
    const { code, complaints } = await homing.end();
    assert.equal(code, 1);
    assert.match(complaints, /^homing: [^\n]*9999[^\n]*newer Homing\n$/);
  });
});
