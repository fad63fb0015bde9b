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
 *   fresh, and it has the key → no request, and no wait for anybody else's
 *   fresh, and the key is not in it, or had not signed → asked again, at most once a minute
 *   no longer fresh → asked again; after a failure left alone for ten seconds
 *   cannot be had → the last copy serves for a day; about a key that is not in it, and about any
 *   after that day, nobody can judge
 *
 * Whoever needs a set that is being fetched waits for that same answer.
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
    const isFresh = entry.copy !== null && this.#clock().getTime() < entry.copy.freshUntil;
    const isKnown = entry.copy?.keys.some((key) => mayBe(key, keyId)) === true;
    if (!isFresh || !isKnown) await this.#ask(appRef, entry, isFresh);
    return this.#choose(entry, algorithm, keyId);
  }

  /**
   * The same, for an assertion that none of those had signed: keys without an id all look alike, so
   * that only this tells that another one was published. Empty when the publisher was asked less
   * than a minute ago.
   */
  async search(
    appRef: number,
    url: string,
    algorithm: AssertionAlgorithm,
    keyId: string | null,
  ): Promise<CandidateKeys> {
    const entry = this.#entryOf(appRef, url);
    const known = entry.copy;
    await this.#ask(appRef, entry, true);
    const chosen = this.#choose(entry, algorithm, keyId);
    return entry.copy === known ? { ...chosen, keys: [] } : chosen;
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

  /** Waits for a request that is on its way, or sends one if it is time for one. */
  async #ask(appRef: number, entry: Entry, isFresh: boolean): Promise<void> {
    const sinceAskedMs = this.#clock().getTime() - entry.askedAt;
    const pauseMs = entry.hasFailed ? LIMITS.keySetPauseMs : 0;
    if (entry.pending === null && sinceAskedMs >= (isFresh ? LIMITS.keySetSearchMs : pauseMs)) {
      entry.pending = this.#refresh(appRef, entry).finally(() => {
        entry.pending = null;
      });
    }
    await entry.pending;
  }

  #choose(
    { copy, askedAt, hasFailed }: Entry,
    algorithm: AssertionAlgorithm,
    keyId: string | null,
  ): CandidateKeys {
    const now = this.#clock().getTime();
    const pauseMs = askedAt + LIMITS.keySetPauseMs - now;
    const retryAfterSeconds = Math.max(1, Math.ceil(pauseMs / 1_000));
    if (copy === null || now - copy.fetchedAt > LIMITS.keySetStaleMs) {
      return { keys: [], retryAfterSeconds };
    }
    const keys = copy.keys.filter((key) => key.algorithm === algorithm && mayBe(key, keyId));
    return { keys, retryAfterSeconds: hasFailed ? retryAfterSeconds : null };
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
