import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Database } from './sql.ts';
import { allowScans, inTransaction } from './transaction.ts';

export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

interface Migration {
  readonly number: number;
  readonly name: string;
  readonly text: string;
  readonly checksum: string;
}

const DIRECTORY = fileURLToPath(new URL('./migrations/', import.meta.url));
/** Any constant serves, as long as every Homing process uses the same one. */
const LOCK = 7_467_001;

/**
 * Brings the schema up to date and returns how many migrations ran. Numbered files, forward only,
 * each in a transaction of its own, one process at a time. Throws a `MigrationError` when a file
 * that has run was edited since, or when the database is newer than this program.
 */
export async function migrate(db: Database): Promise<number> {
  const migrations = await readMigrations();
  await createHistory(db);
  let ran = 0;
  for (const migration of migrations) {
    ran += (await runOnce(db, migration)) ? 1 : 0;
  }
  await refuseNewerSchema(db, migrations.at(-1)?.number ?? 0);
  return ran;
}

/** True when every migration of this program has run. */
export async function isMigrated(db: Database): Promise<boolean> {
  const migrations = await readMigrations();
  const [row] = await db<{ count: number }[]>`select count(*) as count from schema_migration`;
  return row !== undefined && row.count >= migrations.length;
}

async function readMigrations(): Promise<readonly Migration[]> {
  const files = (await readdir(DIRECTORY)).filter((file) => file.endsWith('.sql')).toSorted();
  const migrations = await Promise.all(files.map(readMigration));
  for (const [index, { number, name }] of migrations.entries()) {
    // Two people took the next number at the same time; a gap that one of them left does no harm.
    if (number === migrations[index + 1]?.number) {
      throw new MigrationError(`migration ${name}: there is another one of this number`);
    }
  }
  return migrations;
}

async function readMigration(file: string): Promise<Migration> {
  const number = Number(/^(\d{4})_/.exec(file)?.[1]);
  if (Number.isNaN(number)) {
    throw new MigrationError(`migration ${file}: its name has to begin with four digits and _`);
  }
  const text = await readFile(`${DIRECTORY}${file}`, 'utf8');
  const checksum = createHash('sha256').update(text).digest('hex');
  return { number, name: file, text, checksum };
}

async function createHistory(db: Database): Promise<void> {
  await inTransaction(db, async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    await tx`create table if not exists schema_migration (
      number integer primary key,
      name text not null,
      checksum text not null,
      ran_at timestamptz not null default now()
    )`;
  });
}

async function runOnce(db: Database, migration: Migration): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    await tx`select pg_advisory_xact_lock(${LOCK})`;
    const [row] = await tx<{ checksum: string }[]>`
      select checksum from schema_migration where number = ${migration.number}`;
    if (row !== undefined) {
      if (row.checksum === migration.checksum) return false;
      throw new MigrationError(
        `migration ${migration.name} was edited after it ran; restore the file and add a new one`,
      );
    }
    await allowScans(tx);
    await tx.unsafe(migration.text);
    await tx`insert into schema_migration (number, name, checksum)
      values (${migration.number}, ${migration.name}, ${migration.checksum})`;
    return true;
  });
}

async function refuseNewerSchema(db: Database, known: number): Promise<void> {
  const [row] = await db<{ number: number }[]>`
    select coalesce(max(number), 0) as number from schema_migration`;
  if (row !== undefined && row.number > known) {
    throw new MigrationError(
      `the database is at migration ${row.number}, this program knows ${known}; run a newer Homing`,
    );
  }
}
