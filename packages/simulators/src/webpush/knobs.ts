/** Behaviour of Web Push services that varies. Knobs may be turned while the simulator runs. */
export interface WebPushKnobs {
  /** A subscription younger than this is answered as gone, as Google was seen to do. */
  goneForMs: number;
  /** A longer TTL is shortened to this; null leaves it at the service's own limit. */
  maxTtlSeconds: number | null;
}

/** What a simulator starts with. */
export function defaultWebPushKnobs(): WebPushKnobs {
  return { goneForMs: 0, maxTtlSeconds: null };
}
