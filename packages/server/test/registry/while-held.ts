import type { Device } from '../../../../test/device.ts';
import type { Network } from '../../../../test/network.ts';
import { openDatabase, type Transaction } from '../../src/store/sql.ts';

/** Runs `work` while somebody else holds what `lock` takes, until `release` or the end of it. */
export async function whileHeld<T>(
  { database: { url } }: Network,
  lock: (tx: Transaction) => Promise<unknown>,
  work: (release: () => void) => Promise<T>,
): Promise<T> {
  const other = openDatabase({ url, maxConnections: 1, applicationName: 'holder' });
  const held = Promise.withResolvers<undefined>();
  const released = Promise.withResolvers<undefined>();
  const holding = other.begin(async (tx) => {
    await lock(tx);
    held.resolve(undefined);
    await released.promise;
  });
  try {
    await Promise.race([held.promise, holding]);
    return await work(() => released.resolve(undefined));
  } finally {
    released.resolve(undefined);
    await holding;
    await other.end();
  }
}

/** Locks the row of a phone's installation. */
export function rowOf({ id }: Pick<Device, 'id'>) {
  return (tx: Transaction) => tx`select 1 from installation where id = ${id} for update`;
}
