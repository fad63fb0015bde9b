/** Whom a refusal is about: only what it names is slowed down or stopped. */
export type OutcomeScope = 'token' | 'host' | 'topic' | 'credential';

/**
 * What a refusal of a token leaves open, and another question can settle:
 *
 * - `environment`: it may live in the provider's other environment.
 * - `validity`: the message may have been at fault. It is believed at once of a token that never
 *   worked; one that did is put aside and asked about with next to nothing in the message.
 */
export type TokenDoubt = 'environment' | 'validity';

interface Answer {
  /** The provider's own reason, verbatim, or our name for a failure without an answer. */
  readonly code: string;
  /** HTTP status of the answer; null when there was none. */
  readonly status: number | null;
}

/**
 * The classified result of one attempt. A provider's refusal is a value, and so is a dead network:
 * nothing that a provider or the network can do is an exception.
 *
 * - `accepted`: the provider took it; that is not yet *displayed*.
 * - `token_dead`: the provider says that the token will never work again, as of `since` if it says
 *   so.
 * - `token_mismatch`: the token may well live, but not in this environment, topic or project.
 * - `payload`: the content is at fault; no other device is affected.
 * - `throttled`, `transient`: wait and try again.
 * - `auth`: our credential is at fault; never a reason to touch a token.
 * - `unclassified`: an answer that no table knows.
 * - `unknown`: the request was written and no answer came; it may have been accepted.
 * - `not_started`: nothing was handed to the socket; no attempt was made.
 */
export type Outcome =
  | { readonly kind: 'accepted'; readonly providerId: string }
  | (Answer & {
      readonly kind: 'token_dead';
      readonly since: Date | null;
      readonly doubt?: TokenDoubt;
    })
  | (Answer & { readonly kind: 'token_mismatch'; readonly doubt?: TokenDoubt })
  | (Answer & { readonly kind: 'payload'; readonly detail: string })
  | (Answer & {
      readonly kind: 'throttled';
      readonly retryAfterMs: number | null;
      readonly scope: OutcomeScope;
    })
  | (Answer & { readonly kind: 'transient'; readonly retryAfterMs: number | null })
  | (Answer & { readonly kind: 'auth'; readonly scope: OutcomeScope })
  | (Answer & { readonly kind: 'unclassified' })
  | (Answer & { readonly kind: 'unknown' })
  | { readonly kind: 'not_started' };

export type OutcomeKind = Outcome['kind'];

/**
 * Whether the provider may have taken the push all the same, so that another attempt may repeat it:
 * nobody answered, or a server in trouble did, perhaps after it had passed the push on.
 */
export function mayHaveBeenTaken(outcome: Outcome): boolean {
  if (outcome.kind === 'unknown') return true;
  return outcome.kind === 'transient' && outcome.status !== null && outcome.status >= 500;
}
