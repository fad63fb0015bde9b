import type { Arrival } from '../shelf.ts';

/** The browser at the other end of a subscription, as far as its push service sees it. */
export interface SubscriptionHolder {
  /**
   * What a message's body says to this browser, or the body itself if its keys are out of reach:
   * what the journal and the device's shelf show.
   */
  read(message: EncryptedMessage): unknown;
  /** Called for every message that the service has taken. */
  receive(endpoint: string, arrival: Arrival): void;
}

/** A message as it came. */
export interface EncryptedMessage {
  /** Empty when nothing is to be said but that there is news. */
  readonly body: Buffer;
  readonly contentEncoding: string | null;
}

/** What a browser asks its push service for. */
export interface SubscriptionRequest {
  readonly holder: SubscriptionHolder;
  /** In base64url, without padding; with null any application server may push. */
  readonly applicationServerKey: string | null;
  /** One of the sentinel prefixes, with which the id is to begin. */
  readonly sentinel?: string;
}

/** A subscription as its service remembers it. */
export interface Subscription extends SubscriptionRequest {
  readonly subscribedAtMs: number;
}
