import type { Outcome } from '../../domain/outcome.ts';
import { tokenFingerprint } from '../../domain/address-key.ts';

/** So many subscriptions in a row, and the fault is that of the key. */
const LEAST_SUBSCRIPTIONS = 5;

/**
 * Tells one subscription that was made with another key from a key that a push service refuses:
 * the answers are alike. One that is refused alone is put aside; five of one host, without a
 * success between them, are the fault of the key there, and no token is touched any more.
 */
export class RefusalStreak {
  /** The subscriptions that each host refused since it last took something. */
  readonly #refused = new Map<string, Set<string>>();

  /** What an answer of a host comes to, in the light of those before it. */
  weigh(outcome: Outcome, host: string, token: string): Outcome {
    if (outcome.kind === 'accepted') this.#refused.delete(host);
    const isDoubtful =
      (outcome.kind === 'token_mismatch' && outcome.status !== null) ||
      (outcome.kind === 'auth' && outcome.scope === 'token');
    if (!isDoubtful) return outcome;
    const { code, status } = outcome;
    return this.#note(host, token) < LEAST_SUBSCRIPTIONS
      ? { kind: 'token_mismatch', code, status }
      : { kind: 'auth', code, status, scope: 'host' };
  }

  #note(host: string, token: string): number {
    const refused = this.#refused.get(host) ?? new Set<string>();
    this.#refused.set(host, refused);
    if (refused.size < LEAST_SUBSCRIPTIONS) refused.add(tokenFingerprint(token));
    return refused.size;
  }
}
