import { countSealedOtherwise, SEALED_COLUMNS, sealedValues } from '../store/sealed-values.ts';
import type { SealedColumn } from '../store/sealed-values.ts';
import type { Database } from '../store/sql.ts';
import { contextOf } from './rewrap.ts';
import { SealError, type Vault } from './sealing.ts';

/** How the sealed values of a database stand to the master keys that are known. */
export interface SealCount {
  readonly total: number;
  /** No known master key opens these. */
  readonly unopened: number;
  /** The newest master key did not seal these, whether they can be opened or not. */
  readonly otherwise: number;
}

const SLICE = 500;

/** Opens every sealed value once, and forgets what is in it. */
export async function countUnopened(db: Database, vault: Vault): Promise<SealCount> {
  let [total, unopened, otherwise] = [0, 0, 0];
  for (const column of SEALED_COLUMNS) {
    const counted = await countColumn(db, vault, column);
    total += counted.total;
    unopened += counted.unopened;
    otherwise += await countSealedOtherwise(db, column, vault.mark);
  }
  return { total, unopened, otherwise };
}

async function countColumn(
  db: Database,
  vault: Vault,
  column: SealedColumn,
): Promise<Omit<SealCount, 'otherwise'>> {
  let [total, unopened, after] = [0, 0, 0];
  for (;;) {
    const slice = await sealedValues(db, column, { after, limit: SLICE });
    const last = slice.at(-1);
    if (last === undefined) return { total, unopened };
    total += slice.length;
    unopened += slice.filter((value) => {
      return !doesOpen(vault, value.sealed, contextOf(column, value));
    }).length;
    after = last.ref;
  }
}

function doesOpen(vault: Vault, sealed: Buffer, context: ReturnType<typeof contextOf>): boolean {
  try {
    vault.open(sealed, context).fill(0);
    return true;
  } catch (error) {
    if (error instanceof SealError) return false;
    throw error;
  }
}
