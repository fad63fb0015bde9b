import { findApiKey, recordKeyUse, type ApiKey } from '../store/apps.ts';
import type { Clock } from '../domain/clock.ts';
import type { Queryable } from '../store/sql.ts';
import { hashApiKey, isApiKey } from './api-key.ts';

/** Looks keys up by their text. */
export interface KeyBook {
  /** Null for a text that is no key, and for unknown, expired and revoked keys. */
  find(text: string): Promise<ApiKey | null>;
  /**
   * Notes the day on which a key opened something: one write a day and key, in no request's
   * transaction. A failure refuses nobody; the next use tries again.
   */
  recordUse(key: ApiKey): Promise<void>;
  /** Asks the database again for every key: an app was changed by this process. */
  forget(): void;
}

/** A revoked key is refused, and a changed app honoured, at most this much later. */
const FRESH_MS = 2_000;
const CAPACITY = 10_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

interface Entry {
  readonly key: Promise<ApiKey | null>;
  readonly until: number;
}

/** Remembers answers briefly, so that authentication costs no statement on a busy key. */
export function createKeyBook(db: Queryable, clock: Clock): KeyBook {
  const entries = new Map<string, Entry>();
  const usedOn = new Map<number, number>();
  return {
    forget: () => entries.clear(),
    async recordUse({ ref, lastUsedOn }) {
      const now = clock();
      const day = Math.floor(now.getTime() / DAY_MS);
      if (usedOn.get(ref) === day) return;
      if (usedOn.size >= CAPACITY) usedOn.clear();
      usedOn.set(ref, day);
      const today = now.toISOString().slice(0, 10);
      if (lastUsedOn === today) return;
      await recordKeyUse(db, ref, today).catch(() => usedOn.delete(ref));
    },
    find(text) {
      if (!isApiKey(text)) return Promise.resolve(null);
      const now = clock();
      const hash = hashApiKey(text);
      const name = hash.toString('base64');
      const known = entries.get(name);
      if (known !== undefined && known.until > now.getTime()) return known.key;
      const key = findApiKey(db, hash, now);
      if (entries.size >= CAPACITY) entries.clear();
      entries.set(name, { key, until: now.getTime() + FRESH_MS });
      // A failed look-up is not an answer to remember.
      key.catch(() => entries.delete(name));
      return key;
    },
  };
}
