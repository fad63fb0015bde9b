/** Behaviour of APNs that is disputed or rare. Knobs may be turned while the simulator runs. */
export interface ApnsKnobs {
  /** Streams that a connection may have open once it has authenticated. */
  maxConcurrentStreams: number;
  /** Whether a connection keeps refusing after it has once sent an expired provider token. */
  wedgesAfterExpiredToken: boolean;
  /** Whether any refusal but 410 takes the connection back to one stream, until a success. */
  dropsStreamsAfterError: boolean;
  /** After so many BadDeviceToken on one connection it gets GOAWAY; null never. */
  closesAfterBadDeviceTokens: number | null;
  /** Whether credentials are judged before anything else instead of after the headers. */
  authenticatesFirst: boolean;
}

/** What a simulator starts with: what most reports agree on. */
export function defaultApnsKnobs(): ApnsKnobs {
  return {
    maxConcurrentStreams: 1000,
    wedgesAfterExpiredToken: true,
    dropsStreamsAfterError: false,
    closesAfterBadDeviceTokens: null,
    authenticatesFirst: false,
  };
}
