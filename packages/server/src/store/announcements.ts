import type { Database } from './sql.ts';

const CHANNEL = 'homing_work';
/**
 * Announcements within this time are one: a NOTIFY for each accepted request would cost throughput.
 */
const COALESCE_MS = 5;

/**
 * Tells every worker on the database that there may be work. After the commit and on a connection
 * of the pool, since a NOTIFY inside the accepting transaction halves the commit rate. A lost
 * announcement costs one poll.
 */
export function createAnnouncer(db: Database, onError: (error: unknown) => void): () => void {
  let isPending = false;
  return () => {
    if (isPending) return;
    isPending = true;
    setTimeout(() => {
      isPending = false;
      db.notify(CHANNEL, '').catch(onError);
    }, COALESCE_MS).unref();
  };
}

/** Calls back at every announcement, also after the connection was lost and came back. */
export async function listenForWork(db: Database, onWork: () => void): Promise<void> {
  await db.listen(CHANNEL, onWork, onWork);
}
