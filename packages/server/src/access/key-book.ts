import { findApiKey, recordKeyUse, type ApiKey } from '../store/apps.ts';
import type { Clock } from '../domain/clock.ts';
import type { Queryable } from '../store/sql.ts';
import { hashApiKey, isApiKey } from './api-key.ts';
import { BriefMemory } from './brief-memory.ts';

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

/** Keys whose use was noted; far above what one server meets in a day. */
const CAPACITY = 10_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

/**
 * Remembers answers briefly, so that authentication costs no statement on a busy key. They are
 * remembered by the text that was asked for: 0.1 µs, where checksum and hash of it are 1.2 µs.
 */
export function createKeyBook(db: Queryable, clock: Clock): KeyBook {
  const memory = new BriefMemory(clock, (text: string) =>
    findApiKey(db, hashApiKey(text), clock()),
  );
  const usedOn = new Map<number, number>();
  return {
    async find(text) {
      return memory.known(text) ?? (isApiKey(text) ? memory.findAfresh(text) : null);
    },
    forget: () => memory.forget(),
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
  };
}
