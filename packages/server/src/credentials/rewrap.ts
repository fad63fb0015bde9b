import {
  countSealedOtherwise,
  replaceSealed,
  SEALED_COLUMNS,
  valuesSealedOtherwise,
  type SealedColumn,
  type SealedValue,
} from '../store/sealed-values.ts';
import type { Database } from '../store/sql.ts';
import { SealError, type SealContext, type Vault } from './sealing.ts';

/** How far a rewrap has come. */
export interface RewrapProgress {
  /** Values that some other master key had sealed at the beginning. */
  readonly total: number;
  /** Of those, how many the newest one has sealed by now, here or by whoever renewed them. */
  readonly done: number;
  /** Values that cannot be opened, by where they are and why; they stay as they are. */
  readonly unopened: readonly string[];
  /** Values that the newest master key has not sealed, counted at the end; null until then. */
  readonly left: number | null;
}

const SLICE = 100;

/**
 * Seals with the newest master key whatever another one has sealed, some values at a time, and
 * tells after each slice how far it is. Each value is replaced by itself and only if nobody else
 * has renewed it, so that servers go on meanwhile, and a rewrap that was ended anywhere is gone on
 * with by the next one.
 */
export async function* rewrap(db: Database, vault: Vault): AsyncGenerator<RewrapProgress> {
  const total = await countLeft(db, vault);
  let done = 0;
  const unopened: string[] = [];
  yield { total, done, unopened, left: null };
  for (const column of SEALED_COLUMNS) {
    for await (const slice of slicesOf(db, vault, column)) {
      for (const value of slice) {
        const why = await sealAnew(db, vault, column, value);
        if (why === null) done += 1;
        else unopened.push(`${column.table} ${value.ref}: ${why}`);
      }
      yield { total, done, unopened, left: null };
    }
  }
  yield { total, done, unopened, left: await countLeft(db, vault) };
}

/** What a value is bound to. */
export function contextOf({ kind }: SealedColumn, { appRef, row }: SealedValue): SealContext {
  return { app: String(appRef), kind, row };
}

async function countLeft(db: Database, vault: Vault): Promise<number> {
  const counts = await Promise.all(
    SEALED_COLUMNS.map((column) => countSealedOtherwise(db, column, vault.mark)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function* slicesOf(
  db: Database,
  vault: Vault,
  column: SealedColumn,
): AsyncGenerator<readonly SealedValue[]> {
  let after = 0;
  for (;;) {
    const slice = await valuesSealedOtherwise(db, column, vault.mark, { after, limit: SLICE });
    const last = slice.at(-1);
    if (last === undefined) return;
    yield slice;
    after = last.ref;
  }
}

/** Null when that is done, or somebody else has done it; otherwise why the value does not open. */
async function sealAnew(
  db: Database,
  vault: Vault,
  column: SealedColumn,
  value: SealedValue,
): Promise<string | null> {
  const context = contextOf(column, value);
  try {
    const plain = vault.open(value.sealed, context);
    const sealed = sealAndWipe(vault, plain, context);
    await replaceSealed(db, column, value, sealed);
    return null;
  } catch (error) {
    if (error instanceof SealError) return error.message;
    throw error;
  }
}

function sealAndWipe(vault: Vault, plain: Buffer, context: SealContext): Buffer {
  try {
    return vault.seal(plain, context);
  } finally {
    plain.fill(0);
  }
}
