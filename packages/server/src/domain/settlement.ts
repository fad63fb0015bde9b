import type { ProviderName } from './address.ts';
import type { DeliveryState, Recipient, SkipReason } from './delivery.ts';
import type { Outcome, TokenDoubt } from './outcome.ts';

/** What the registry is to hear of an outcome; applied as compare-and-set (rule R8). */
export type TokenFact =
  /** `endsFailures`: attempts had failed before it, which count no more. */
  | { readonly kind: 'accepted'; readonly endsFailures: boolean }
  | { readonly kind: 'failure'; readonly code: string }
  | { readonly kind: 'mismatch'; readonly code: string; readonly doubt: TokenDoubt | null }
  /** `since` is the provider's own word; without it, what counts is when the push was sent. */
  | {
      readonly kind: 'dead';
      readonly code: string;
      readonly since: Date | null;
      readonly doubt: TokenDoubt | null;
    };

/** One delivery's new state, ready to be written. */
export interface Settlement extends Recipient {
  readonly state: DeliveryState;
  readonly reason: string;
  readonly code: string | null;
  readonly provider: ProviderName | null;
  readonly providerId: string | null;
  readonly holderVersion: number | null;
  readonly attempts: number;
  readonly possibleDuplicate: boolean;
  readonly firstSentAt: Date | null;
  readonly sentAt: Date | null;
  /** When it is to be offered again; null when the state is final. */
  readonly dueAt: Date | null;
  readonly tokenFact: TokenFact | null;
  /** When the provider said so, where that was long after the push; null for an answer to it. */
  readonly heardAt: Date | null;
  /** When to ask what became of what was accepted; null where nothing more is ever said. */
  readonly receipt: { readonly dueAt: Date; readonly endsAt: Date } | null;
  /** Which part of the provider answered (`providerHost`); null where nobody did. */
  readonly host: string | null;
  /** What the ledger held before, so that counters move instead of adding up; null for nothing. */
  readonly previous: { readonly state: DeliveryState; readonly reason: string } | null;
}

/** What a settlement says where no attempt was made, and the ledger held nothing. */
export const UNATTEMPTED: Omit<Settlement, keyof Recipient | 'state' | 'reason'> = {
  code: null,
  provider: null,
  providerId: null,
  holderVersion: null,
  attempts: 0,
  possibleDuplicate: false,
  firstSentAt: null,
  sentAt: null,
  dueAt: null,
  tokenFact: null,
  heardAt: null,
  receipt: null,
  host: null,
  previous: null,
};

/** A delivery that ends before a gate looked at it. */
export function skip({ installationRef, userRef }: Recipient, reason: SkipReason): Settlement {
  return { ...UNATTEMPTED, installationRef, userRef, state: 'skipped', reason };
}

type Attempted = Exclude<Outcome, { readonly kind: 'not_started' }>;

/** What an attempt at a token, failing before or not, tells the registry about it. */
export function tokenFactOf(outcome: Attempted, isFailing: boolean): TokenFact | null {
  switch (outcome.kind) {
    case 'accepted':
      return { kind: 'accepted', endsFailures: isFailing };
    case 'token_dead': {
      const { code, since, doubt = null } = outcome;
      return { kind: 'dead', code, since, doubt };
    }
    case 'token_mismatch':
      return { kind: 'mismatch', code: outcome.code, doubt: outcome.doubt ?? null };
    case 'throttled':
      return outcome.scope === 'token' ? { kind: 'failure', code: outcome.code } : null;
    case 'transient':
    case 'unclassified':
    case 'payload':
    case 'auth':
    case 'unknown':
      return null;
  }
}
