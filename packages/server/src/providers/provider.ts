import type { Outcome } from '../domain/outcome.ts';
import type { Push } from '../domain/push.ts';

export interface ProviderLimits {
  /** The largest payload that the provider takes, in bytes as the provider counts them. */
  readonly payloadBytes: number;
  /** How many pushes may be under way at once, over all connections. */
  readonly inFlight: number;
  /** How many pushes share one request to the provider; 1 where each has its own. */
  readonly batchSize: number;
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

/** THE PORT: one credential of one push provider. */
export interface Provider extends AsyncDisposable {
  readonly limits: ProviderLimits;

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
   * before this resolves. Nothing that the network or the provider can do makes it reject. One call
   * for many, because a promise more for each push is 3 % of a worker's time.
   */
  send(pushes: readonly Push[], options: SendOptions, hear: HearOutcome): Promise<void>;

  /**
   * Lets what is in flight finish, up to the provider's answer deadline, then closes connections.
   */
  [Symbol.asyncDispose](): Promise<void>;
}

/** The outcomes of a few pushes, in their order. */
export async function outcomesOf(
  provider: Provider,
  pushes: readonly Push[],
  options: SendOptions,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  await provider.send(pushes, options, (place, outcome) => (outcomes[place] = outcome));
  return outcomes;
}
