/** Behaviour that projects choose, or that varies. Knobs may be turned while it runs. */
export interface ExpoKnobs {
  /** How long after a push its receipt can be had. */
  receiptDelayMs: number;
  /** Whether the project takes pushes from those alone who have an access token. */
  enhancedSecurity: boolean;
}

/** What a simulator starts with. */
export function defaultExpoKnobs(): ExpoKnobs {
  return { receiptDelayMs: 10 * 60_000, enhancedSecurity: false };
}
