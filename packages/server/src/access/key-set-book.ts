import type { AssertionAlgorithm } from '../domain/identity-jwk.ts';
import type { Clock } from '../domain/clock.ts';
import { LIMITS } from '../domain/limits.ts';
import type { CandidateKeys, VerifyingKey } from './assertion.ts';
import { parseKeySet } from './key-set.ts';

/** Fetches what an app publishes; a failure is an answer, with its reason for the log. */
export type FetchKeySet = (url: string) => Promise<FetchedKeySet>;

export type FetchedKeySet =
  | {
      readonly kind: 'fetched';
      readonly text: string;
      /** For how long the publisher says that it is good; null when it says nothing. */
      readonly freshSeconds: number | null;
    }
  | { readonly kind: 'failed'; readonly why: string };

export interface KeySetBookOptions {
  readonly fetchKeySet: FetchKeySet;
  readonly clock: Clock;
  readonly onFailure: (appRef: number, why: string) => void;
}

interface Copy {
  readonly keys: readonly VerifyingKey[];
  readonly fetchedAt: number;
  readonly freshUntil: number;
}

interface Entry {
  readonly url: string;
  copy: Copy | null;
  askedAt: number;
  hasFailed: boolean;
  pending: Promise<void> | null;
}

/** Apps that are remembered at most; the one that was met first is forgotten. */
const CAPACITY = 10_000;

/**
 * The key sets that apps publish, kept for as long as they are good.
 *
 *   fresh, and it has the key → no request
 *   fresh, and the key is not in it → asked again, at most once a minute
 *   no longer fresh → asked again; after a failure left alone for ten seconds
 *   cannot be had → the last copy serves for a day, and after that nobody can be judged
 *
 * Whoever comes while a set is being fetched waits for that same answer.
 */
export class KeySetBook {
  readonly #fetchKeySet: FetchKeySet;
  readonly #clock: Clock;
  readonly #onFailure: KeySetBookOptions['onFailure'];
  readonly #entries = new Map<number, Entry>();

  constructor({ fetchKeySet, clock, onFailure }: KeySetBookOptions) {
    this.#fetchKeySet = fetchKeySet;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  /** The published keys of an algorithm, and of an id when one is named. */
  async find(
    appRef: number,
    url: string,
    algorithm: AssertionAlgorithm,
    keyId: string | null,
  ): Promise<CandidateKeys> {
    const entry = this.#entryOf(appRef, url);
    if (entry.pending !== null || this.#mustAsk(entry, keyId)) {
      entry.pending ??= this.#refresh(appRef, entry).finally(() => {
        entry.pending = null;
      });
      await entry.pending;
    }
    const { copy } = entry;
    const now = this.#clock().getTime();
    if (copy === null || now - copy.fetchedAt > LIMITS.keySetStaleMs) {
      const pauseMs = entry.askedAt + LIMITS.keySetPauseMs - now;
      return { keys: [], retryAfterSeconds: Math.max(1, Math.ceil(pauseMs / 1_000)) };
    }
    const keys = copy.keys.filter((key) => key.algorithm === algorithm && mayBe(key, keyId));
    return { keys, retryAfterSeconds: null };
  }

  #entryOf(appRef: number, url: string): Entry {
    const known = this.#entries.get(appRef);
    // Keys of the address that the app had before vouch for nobody.
    if (known !== undefined && known.url === url) return known;
    const entry = { url, copy: null, askedAt: -Infinity, hasFailed: false, pending: null };
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= CAPACITY && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(appRef, entry);
    return entry;
  }

  #mustAsk({ copy, askedAt, hasFailed }: Entry, keyId: string | null): boolean {
    const now = this.#clock().getTime();
    const sinceAskedMs = now - askedAt;
    if (hasFailed && sinceAskedMs < LIMITS.keySetPauseMs) return false;
    if (copy === null || now >= copy.freshUntil) return true;
    const isKnown = copy.keys.some((key) => mayBe(key, keyId));
    return !isKnown && sinceAskedMs >= LIMITS.keySetSearchMs;
  }

  async #refresh(appRef: number, entry: Entry): Promise<void> {
    const now = this.#clock().getTime();
    entry.askedAt = now;
    const fetched = await this.#fetchKeySet(entry.url);
    const keys = fetched.kind === 'fetched' ? parseKeySet(fetched.text) : null;
    entry.hasFailed = keys === null;
    if (fetched.kind === 'fetched' && keys !== null) {
      const freshMs = boundedSeconds(fetched.freshSeconds) * 1_000;
      entry.copy = { keys, fetchedAt: now, freshUntil: now + freshMs };
    } else {
      const why = fetched.kind === 'failed' ? fetched.why : 'the answer is no JSON Web Key Set';
      this.#onFailure(appRef, why);
    }
  }
}

/** A published key without an id may be the one that any assertion means. */
function mayBe(key: VerifyingKey, keyId: string | null): boolean {
  return keyId === null || key.keyId === null || key.keyId === keyId;
}

function boundedSeconds(seconds: number | null): number {
  const { unsaid, least, most } = LIMITS.keySetFreshSeconds;
  return Math.min(most, Math.max(least, seconds ?? unsaid));
}
