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
   * Offers each push once. The answers stand in the order of the pushes, one for each; nothing that
   * the network or the provider can do makes this throw.
   */
  send(pushes: readonly Push[], options: SendOptions): Promise<readonly Outcome[]>;

  /**
   * Lets what is in flight finish, up to the provider's answer deadline, then closes connections.
   */
  [Symbol.asyncDispose](): Promise<void>;
}
