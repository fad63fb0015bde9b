import type { Outcome, OutcomeScope, TokenDoubt } from '../domain/outcome.ts';

/**
 * What makes a push worth a second try, once: `renew_token` gets another provider token, and
 * `reconnect` takes another connection.
 */
export type HealingAction = 'renew_token' | 'reconnect';

/** What a provider does about an answer before it becomes an outcome; `report` lets it stand. */
export type ReasonAction = 'report' | HealingAction;

interface Meaning {
  readonly action: ReasonAction;
  /** What the provider means by it, for people: a fragment of a sentence. */
  readonly meaning: string;
  /** What whoever runs or calls Homing can do about it, in one imperative sentence. */
  readonly fix: string;
}

/** One row of a provider's catalogue of refusals: which outcome the answer is, and about whom. */
export type Reason =
  | (Meaning & { readonly kind: 'payload' | 'transient' | 'unclassified' })
  | (Meaning & {
      readonly kind: 'token_dead' | 'token_mismatch';
      /** What the answer leaves open, where it may mean different things. */
      readonly doubt?: TokenDoubt;
    })
  | (Meaning & { readonly kind: 'throttled' | 'auth'; readonly scope: OutcomeScope });

/**
 * A catalogue. Its keys are `STATUS CODE`; `*` stands for any code or any status, `5xx` for a
 * hundred statuses, and `-` for no answer at all.
 */
export type ReasonTable = Readonly<
  Record<`${number | '3xx' | '5xx' | '*' | '-'} ${string}`, Reason>
>;

/** The facts of one refusal that an outcome may need beside its reason. */
export interface Refusal {
  readonly status: number;
  /** The provider's own reason, or the status when it gave none. */
  readonly code: string;
  readonly detail: string;
  readonly retryAfterMs: number | null;
  /** As of when a token is dead, if the provider says so. */
  readonly since: Date | null;
}

const UNKNOWN_REASON: Reason = {
  kind: 'unclassified',
  action: 'report',
  meaning: 'an answer that the catalogue does not know',
  fix: "Look the code up in the provider's documentation.",
};

/**
 * Finds the row for an answer: the exact pair of status and code, else the code alone, else the
 * status, else its hundred. An answer without a row is `unclassified`, which never touches a token.
 */
export function findReason(table: ReasonTable, status: number, code: string): Reason {
  // A provider's text is used as a key here, so only the table's own rows may be found.
  const hundred = `${Math.floor(status / 100)}xx`;
  const keys = [`${status} ${code}`, `* ${code}`, `${status} *`, `${hundred} *`];
  const key = keys.find((candidate) => Object.hasOwn(table, candidate));
  return table[key as keyof ReasonTable] ?? UNKNOWN_REASON;
}

/** The outcome that a refusal with this reason has. */
export function toOutcome(reason: Reason, refusal: Refusal): Outcome {
  const { status, code, retryAfterMs } = refusal;
  switch (reason.kind) {
    case 'token_dead':
      return { kind: reason.kind, status, code, since: refusal.since, ...doubtOf(reason) };
    case 'payload':
      return { kind: reason.kind, status, code, detail: refusal.detail };
    case 'throttled':
      return { kind: reason.kind, status, code, retryAfterMs, scope: reason.scope };
    case 'transient':
      return { kind: reason.kind, status, code, retryAfterMs };
    case 'auth':
      return { kind: reason.kind, status, code, scope: reason.scope };
    case 'token_mismatch':
      return { kind: reason.kind, status, code, ...doubtOf(reason) };
    case 'unclassified':
      return { kind: reason.kind, status, code };
    default:
      return reason satisfies never;
  }
}

function doubtOf({ doubt }: { readonly doubt?: TokenDoubt }): { readonly doubt?: TokenDoubt } {
  return doubt === undefined ? {} : { doubt };
}
