import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createTestDatabase, type TestDatabase } from '../../../../test/database.ts';
import type { RateBucket } from '../../src/domain/rate.ts';
import { migrate } from '../../src/store/migrate.ts';
import { lowerRate, takeTokens } from '../../src/store/rate-buckets.ts';
import { openDatabase, type Database } from '../../src/store/sql.ts';

const PER_SECOND = 1_000;
/** What a bucket gains while a test looks at it: the statements of one test take no second. */
const MEANWHILE = PER_SECOND / 2;

describe('what is left of a rate', () => {
  let database: TestDatabase;
  let db: Database;
  let buckets = 0;

  before(async () => {
    database = await createTestDatabase();
    db = openDatabase({ url: database.url, maxConnections: 8, applicationName: 'rate test' });
    await migrate(db);
  });

  after(async () => {
    await db.end({ timeout: 5 });
    await database[Symbol.asyncDispose]();
  });

  function bucketWith(rampSeconds: number): RateBucket {
    buckets += 1;
    return { name: `test/${buckets}`, rate: { perSecond: PER_SECOND, rampSeconds } };
  }

  /** Lets time pass for a bucket, which knows no other clock than the database's. */
  async function pass(bucket: RateBucket, seconds: number): Promise<void> {
    await db`update rate_bucket
      set filled_at = filled_at - make_interval(secs => ${seconds}),
        lowered_at = lowered_at - make_interval(secs => ${seconds})
      where name = ${bucket.name}`;
  }

  async function take(bucket: RateBucket, want: number, least = 1): Promise<number> {
    return (await takeTokens(db, bucket, want, least)).granted;
  }

  test('half a second goes out at once, and no more however long nobody asked', async () => {
    const bucket = bucketWith(0);
    assert.equal(await take(bucket, 10_000), 500);
    await pass(bucket, 3_600);
    assert.equal(await take(bucket, 10_000), 500);
  });

  test('it fills at its rate, and tells how long the rest takes', async () => {
    const bucket = bucketWith(0);
    await take(bucket, 500);
    await pass(bucket, 0.2);
    assertAbout(await take(bucket, 500), 200, 300);
    const { granted, waitMs } = await takeTokens(db, bucket, 500, 500);
    assert.equal(granted, 0);
    assert.ok(waitMs > 0 && waitMs <= 500, String(waitMs));
  });

  test('workers that ask at the same moment get no more than there is', async () => {
    const bucket = bucketWith(0);
    const grants = await Promise.all(Array.from({ length: 40 }, () => take(bucket, 100)));
    assertAbout(
      grants.reduce((sum, granted) => sum + granted, 0),
      500,
    );
  });

  test('with a ramp it starts at a tenth, and grows over that time', async () => {
    const bucket = bucketWith(60);
    assert.equal(await take(bucket, 10_000), 50);
    await pass(bucket, 27);
    await take(bucket, 10_000);
    // A tenth and 27 of 60 seconds: 55 % of half a second, and of the rate.
    await pass(bucket, 0.2);
    assertAbout(await take(bucket, 10_000), 110, 200);
    await pass(bucket, 30);
    await take(bucket, 10_000);
    await pass(bucket, 0.4);
    assertAbout(await take(bucket, 10_000), 390, 110);
  });

  test('a quiet time as long as the ramp starts the ramp anew', async () => {
    const bucket = bucketWith(60);
    await take(bucket, 1);
    await pass(bucket, 59);
    await take(bucket, 10_000);
    await pass(bucket, 61);
    assert.equal(await take(bucket, 10_000), 50);
  });

  test('a refusal halves the rate, once in a second, and it recovers', async () => {
    const bucket = bucketWith(60);
    await take(bucket, 1);
    await pass(bucket, 59);
    await take(bucket, 1);
    await Promise.all([lowerRate(db, bucket), lowerRate(db, bucket)]);
    await pass(bucket, 10);
    // From a half by a sixth: two thirds of half a second.
    assertAbout(await take(bucket, 10_000), 330, 20);
    for (let time = 0; time < 6; time += 1) {
      await lowerRate(db, bucket);
      await pass(bucket, 1.1);
    }
    assert.ok((await take(bucket, 10_000)) < 100, 'never below a tenth, and not far above');
  });
});

function assertAbout(actual: number, expected: number, more = MEANWHILE): void {
  const line = `${actual} is not between ${expected} and ${expected + more}`;
  assert.ok(actual >= expected && actual <= expected + more, line);
}
