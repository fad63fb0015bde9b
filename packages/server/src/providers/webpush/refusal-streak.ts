import type { Outcome } from '../../domain/outcome.ts';
import { tokenFingerprint } from '../../domain/address-key.ts';

/** So many subscriptions in a row, and the fault is that of the key. */
const LEAST_SUBSCRIPTIONS = 5;

/**
 * A key that the host has just taken is hardly the one at fault, and whoever registers can bring
 * subscriptions of other keys. Still it may be refused from now on, and then so many are put aside
 * instead of all.
 */
const LEAST_WITH_KNOWN_KEY = 50;

/** How long a key counts as known after the host has taken something. */
const KNOWN_FOR_MS = 10 * 60 * 1000;

/** What services say of the key with another status than 401 and 403. */
const OF_THE_KEY: ReadonlySet<string> = new Set([
  'VapidPkHashMismatch',
  'UnauthorizedRegistration',
]);

/**
 * Of one host: tells one subscription that was made with another key from a key that the host
 * refuses: the answers are alike. One that is refused alone is put aside; five without a success
 * between them are the fault of the key there, and no token is touched any more. An answer that
 * speaks of the endpoint alone says nothing of the key, since anybody can invent endpoints.
 */
export class RefusalStreak {
  /** The subscriptions that the host refused since it last took something. */
  readonly #refused = new Set<string>();
  #takenAtMs = Number.NEGATIVE_INFINITY;

  /** Whether the host has ever taken something. */
  get hasTaken(): boolean {
    return this.#takenAtMs !== Number.NEGATIVE_INFINITY;
  }

  /** What an answer of the host comes to, in the light of those before it. */
  weigh(outcome: Outcome, token: string, now: Date): Outcome {
    if (outcome.kind === 'accepted') {
      this.#refused.clear();
      this.#takenAtMs = now.getTime();
    }
    if (!isOfTheKey(outcome)) return outcome;
    const { code, status } = outcome;
    const isKnown = now.getTime() - this.#takenAtMs < KNOWN_FOR_MS;
    const least = isKnown ? LEAST_WITH_KNOWN_KEY : LEAST_SUBSCRIPTIONS;
    if (this.#refused.size < least) this.#refused.add(tokenFingerprint(token));
    return this.#refused.size < least
      ? { kind: 'token_mismatch', code, status }
      : { kind: 'auth', code, status, scope: 'host' };
  }
}

type OfTheKey = Extract<Outcome, { readonly kind: 'token_mismatch' | 'auth' }>;

function isOfTheKey(outcome: Outcome): outcome is OfTheKey {
  if (outcome.kind === 'auth') return outcome.scope === 'token';
  if (outcome.kind !== 'token_mismatch') return false;
  const { status, code } = outcome;
  return status === 401 || status === 403 || (status !== null && OF_THE_KEY.has(code));
}
