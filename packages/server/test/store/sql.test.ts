import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTestDatabase } from '../../../../test/database.ts';
import { openDatabase } from '../../src/store/sql.ts';
import { inTransaction } from '../../src/store/transaction.ts';

test('a transaction begins behind however many statements a connection has before it', async () => {
  await using database = await createTestDatabase();
  const { url } = database;
  // The driver's own limit would be a hundred.
  for (let ahead = 90; ahead <= 110; ahead += 1) {
    const db = openDatabase({ url, maxConnections: 1, applicationName: 'pipeline' });
    // The first statement of a shape is described before it is sent; later ones are not.
    await db`select 1`;
    const statements = Array.from({ length: ahead }, () => db`select 1`.execute());
    const inside = await inTransaction(db, async (tx) => {
      const [row] = await tx<{ one: number }[]>`select 1 as one`;
      return row?.one;
    });
    assert.equal(inside, 1);
    assert.equal((await Promise.all(statements)).length, ahead);
    await db.end({ timeout: 5 });
  }
});
