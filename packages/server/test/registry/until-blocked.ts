import assert from 'node:assert/strict';
import type { Database } from '../../src/store/sql.ts';

const DEADLINE_MS = 20_000;

/** Resolves once so many connections to the database wait for a lock that somebody else holds. */
export async function untilBlocked(db: Database, connections: number): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const [row] = await db<{ waiting: number }[]>`
      select count(*)::integer as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'
        and cardinality(pg_blocking_pids(pid)) > 0`;
    if ((row?.waiting ?? 0) >= connections) return;
    assert.ok(Date.now() < deadline, 'nobody came to wait for the lock');
  }
}
