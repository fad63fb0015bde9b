import assert from 'node:assert';
import type { ProviderName } from '../domain/address.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Push } from '../domain/push.ts';
import type { RateBucket } from '../domain/rate.ts';
import type { RetryPolicy } from '../domain/retry-policy.ts';
import type { Verification } from '../domain/verification.ts';

export interface ProviderLimits {
  /** The largest payload that the provider takes, in bytes as the provider counts them. */
  readonly payloadBytes: number;
  /** How many pushes may be under way at once, over all connections. */
  readonly inFlight: number;
  /** How many pushes one request holds at most; one where it is left out. */
  readonly batch?: number;
}

export interface SendOptions {
  /**
   * On the scale of `performance.now()`: what has not been handed to a socket by then is not
   * started.
   */
  readonly startBefore: number;
  /**
   * Aborting gives back as `not_started` what has not been handed to a socket; the rest is awaited.
   */
  readonly signal: AbortSignal;
}

/** Told what came of a push, by its place among those that were offered. */
export type HearOutcome = (place: number, outcome: Outcome) => void;

/** What a provider says later of pushes that it has taken. */
export type ReceiptsAnswer =
  /** By id; what is missing is not known yet, or not any more. */
  | { readonly kind: 'receipts'; readonly outcomes: ReadonlyMap<string, Outcome> }
  /** Nothing was learned of any push: an outcome of the question. */
  | { readonly kind: 'refused'; readonly outcome: Outcome };

/** When there is something to ask for, counted from the push. */
export interface ReceiptTimes {
  /** Earlier there is nothing. */
  readonly afterMs: number;
  /** Later there is nothing any more. */
  readonly untilMs: number;
}

/** Of a provider that takes pushes first, and says later whether it could pass them on. */
export interface Receipts extends ReceiptTimes {
  /**
   * Asks once what became of pushes, by the ids under which they were accepted, up to
   * `LIMITS.receiptsAtOnce` of them. Never rejects. Aborting ends what is not written yet.
   */
  fetch(ids: readonly string[], signal: AbortSignal): Promise<ReceiptsAnswer>;
}

/** THE PORT: one credential of one push provider. */
export interface Provider extends AsyncDisposable {
  readonly limits: ProviderLimits;

  /** Left out where an acceptance is all that the provider ever says. */
  readonly receipts?: Receipts;

  /**
   * Makes the credential usable (signs or fetches what authenticates a request), so that nothing
   * slow stands between the ownership check and the socket. Null means ready; otherwise the outcome
   * that every push would have, of kind `auth` or `transient`.
   */
  prepare(signal: AbortSignal): Promise<Outcome | null>;

  /** The bytes that the provider would count against `limits.payloadBytes` for this push. */
  measure(push: Push): number;

  /**
   * Offers each push once, and says of each what came of it as soon as that is known: once, and
   * before this resolves or rejects. Nothing that the network or the provider can do makes it
   * reject. One call for many, because each promise more for a push costs 1 % of a worker's time.
   */
  send(pushes: readonly Push[], options: SendOptions, hear: HearOutcome): Promise<void>;

  /**
   * Asks the provider whether the credential is good for all that it is for, in a way that reaches
   * no phone. Never rejects because of the network or the provider. Where it has no such way, what
   * can be told without it is told, and that nobody was asked.
   */
  verify(signal: AbortSignal): Promise<Verification>;

  /**
   * Lets what is in flight finish, up to the provider's answer deadline, then closes connections.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A credential opened as a provider, with the policies of its lane. */
export interface OpenProvider {
  readonly name: ProviderName;
  readonly provider: Provider;
  readonly policy: RetryPolicy;
  /** Null where nothing limits how fast it may be used. */
  readonly bucket: RateBucket | null;
}

/** The outcomes of a few pushes, in their order. */
export async function outcomesOf(
  provider: Provider,
  pushes: readonly Push[],
  options: SendOptions,
): Promise<readonly Outcome[]> {
  const heard = new Map<number, Outcome>();
  await provider.send(pushes, options, (place, outcome) => {
    assert(!heard.has(place), 'each push is heard of once');
    heard.set(place, outcome);
  });
  return pushes.map((_push, place) => {
    const outcome = heard.get(place);
    assert(outcome !== undefined, 'a provider answers for each push');
    return outcome;
  });
}

/**
 * Delivers pushes side by side, for a provider that has a request for each. One that fails, by a
 * mistake of ours, keeps none of the others from being heard; the first of such is thrown then.
 */
export async function deliverEach(
  pushes: readonly Push[],
  deliver: (push: Push) => Promise<Outcome>,
  hear: HearOutcome,
): Promise<void> {
  const failures: unknown[] = [];
  const deliverOne = async (push: Push, place: number): Promise<void> => {
    try {
      hear(place, await deliver(push));
    } catch (error) {
      failures.push(error);
    }
  };
  await Promise.all(pushes.map(deliverOne));
  if (failures.length > 0) throw failures[0];
}
