const DATABASE = 'homing';
const TEXTS = 'texts';

/** What becomes of a kept text, and what its change comes to. */
export interface TextChange<T> {
  /** Null, or equal to what was read: nothing is written. */
  readonly text: string | null;
  readonly result: T;
}

/**
 * Reads and replaces a named text that all tabs and workers of the origin share, in one transaction
 * of IndexedDB, so that nobody comes between. Resolves when the text is on the disk. Rejects with
 * `storage: …`, and has changed nothing, where the browser keeps nothing, as in some private modes
 * or with a full disk; otherwise with what `change` throws.
 *
 * The database is opened for each step: steps are rare, and browsers close connections in the
 * background and keep others from deleting the database while one is open.
 */
export async function changeText<T>(
  name: string,
  change: (text: string | null) => TextChange<T>,
  written?: () => void,
): Promise<T> {
  let database: IDBDatabase | undefined;
  try {
    const opening = indexedDB.open(DATABASE, 1);
    opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore(TEXTS));
    await outcome(opening, 'success', 'error');
    database = opening.result;
    const transaction = database.transaction(TEXTS, 'readwrite', { durability: 'strict' });
    const texts = transaction.objectStore(TEXTS);
    const reading: IDBRequest<string | undefined> = texts.get(name);
    await outcome(reading, 'success', 'error');
    const before = reading.result ?? null;
    const { text, result } = change(before);
    if (text !== null && text !== before) {
      texts.put(text, name);
      await outcome(transaction, 'complete', 'abort');
      written?.();
    }
    return result;
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause;
    throw new Error(`storage: ${cause.message}`, { cause });
  } finally {
    database?.close();
  }
}

/** A transaction stays open for what follows its request's outcome without waiting. */
function outcome(
  source: IDBRequest | IDBTransaction,
  good: 'success' | 'complete',
  bad: 'error' | 'abort',
): Promise<void> {
  return new Promise((resolve, reject) => {
    source.addEventListener(good, () => resolve());
    source.addEventListener(bad, () => reject(source.error));
  });
}
