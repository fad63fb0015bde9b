/** Behaviour of FCM that has varied. Knobs may be turned while the simulator runs. */
export interface FcmKnobs {
  /** How a token that is none, or unknown in validating mode, is refused. */
  badTokenBody: 'message' | 'field_violation';
}

/** What a simulator starts with. */
export function defaultFcmKnobs(): FcmKnobs {
  return { badTokenBody: 'message' };
}
