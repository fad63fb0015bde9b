import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import { isMigrated, migrate } from '../../src/store/migrate.ts';
import { openDatabase, type Database } from '../../src/store/sql.ts';
import { schemaText } from './schema-text.ts';

const GOLDEN = new URL('../data/schema.txt', import.meta.url);

describe('migrations', () => {
  let database: TestDatabase;
  let db: Database;

  before(async () => {
    database = await createTestDatabase();
    db = openDatabase({ url: database.url, maxConnections: 4, applicationName: 'migrate test' });
  });

  after(async () => {
    await db.end({ timeout: 5 });
    await database[Symbol.asyncDispose]();
  });

  test('lead to the schema that is on record', async () => {
    const golden = await readFile(GOLDEN, 'utf8').catch(() => '');
    assert.equal(
      await schemaText(db),
      golden,
      'the schema changed: look at the difference, then replace test/data/schema.txt with it',
    );
  });

  test('run once, also when several processes start together', async () => {
    const ran = await Promise.all([migrate(db), migrate(db), migrate(db)]);
    assert.deepEqual(ran, [0, 0, 0]);
    assert.equal(await isMigrated(db), true);
  });

  test('refuse to go on when a file was edited after it ran', async () => {
    await db`update schema_migration set checksum = 'other' where number = 1`;
    await assert.rejects(migrate(db), /0001_apps\.sql was edited after it ran/);
  });

  test('refuse a database that a newer program has migrated', async () => {
    await db`delete from schema_migration where number = 1`;
    await db`insert into schema_migration (number, name, checksum) values (1, 'x', 'y'), (99, 'z', '')`;
    const files = new URL('../../src/store/migrations/0001_apps.sql', import.meta.url);
    const checksum = createHash('sha256')
      .update(await readFile(files, 'utf8'))
      .digest('hex');
    await db`update schema_migration set checksum = ${checksum} where number = 1`;
    await assert.rejects(migrate(db), /the database is at migration 99/);
  });
});
