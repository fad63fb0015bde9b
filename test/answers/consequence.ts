/** What one answer did to the registry, the ledger and the lane, as their APIs show it. */
export interface Consequence {
  /** Where the report counts the delivery; `pending` waits in its chunk and has no row. */
  readonly delivery: 'accepted' | 'failed' | 'retrying' | 'pending' | 'unknown';
  readonly reason: string | null;
  /** As the provider said it. */
  readonly code: string | null;
  /** The status of the installation. */
  readonly token: 'active' | 'quarantined' | 'retired';
  /** How many requests about the token the provider got, repeats and probes included. */
  readonly requests: number;
  /** The kinds of alerts that are open. */
  readonly alerts: readonly string[];
  /** What becomes of the next push to another device of the same credential. */
  readonly others: 'go on' | 'wait';
}

const HARMLESS = { token: 'active', requests: 1, alerts: [], others: 'go on' } as const;

/** Taken in the end; `requests` says after how many attempts. */
export function accepted(requests: number): Consequence {
  return { ...HARMLESS, delivery: 'accepted', reason: null, code: null, requests };
}

export function tokenDead(code: string): Consequence {
  return { ...HARMLESS, delivery: 'failed', reason: 'token_dead', code, token: 'retired' };
}

export function tokenMismatch(code: string): Consequence {
  const token = 'quarantined';
  return { ...HARMLESS, delivery: 'failed', reason: 'token_mismatch', code, token };
}

export function payloadRefused(code: string): Consequence {
  return { ...HARMLESS, delivery: 'failed', reason: 'payload', code };
}

/** Tried again later, on its own. */
export function triedAgain(reason: string, code: string): Consequence {
  return { ...HARMLESS, delivery: 'retrying', reason, code };
}

/** The credential as a whole waits for a while; no attempt is burnt. */
export function credentialWaits(): Consequence {
  return { ...HARMLESS, delivery: 'pending', reason: null, code: null, others: 'wait' };
}

/** The credential stands still until it is accepted again, and a person is told. */
export function credentialStopped(): Consequence {
  return { ...credentialWaits(), alerts: ['credential_stopped'] };
}
