import type { ProviderName } from './address.ts';
import type { OutcomeKind } from './outcome.ts';

/** What one answer of a provider, or the lack of one, means and what to do about it; for people. */
export interface AnswerReason {
  /** The table that it stands in: a provider, one of its services, or `homing` for our own. */
  readonly source: string;
  /** Whose pushes it can end; null for anybody's. */
  readonly provider: ProviderName | null;
  /** The HTTP status, `5xx` for a hundred of them, `*` for any, `-` where there is none. */
  readonly status: string;
  /** The provider's own code; `*` stands for those without a row of their own. */
  readonly code: string;
  readonly kind: OutcomeKind;
  /** A fragment of a sentence. */
  readonly meaning: string;
  /** One imperative sentence. */
  readonly fix: string;
}

/** An outcome as the ledger and alerts keep it. */
export interface KeptOutcome {
  readonly provider: string;
  /** The kind of outcome; null where only its code is kept. */
  readonly kind: string | null;
  readonly code: string;
}

/** Finds the row that an outcome came from; null where none does. */
export type FindAnswerReason = (outcome: KeptOutcome) => AnswerReason | null;

/**
 * Looks outcomes up, which know their code and not the status that it came with: a row of that code
 * and kind, else one for what our own codes begin with, else the row for codes of this kind that
 * nobody has heard of. Each answer is remembered, for there are few, and many deliveries have the
 * same.
 */
export function createAnswerReasonFinder(reasons: readonly AnswerReason[]): FindAnswerReason {
  const byCode = Map.groupBy(reasons, ({ code }) => code);
  const known = new Map<string, AnswerReason | null>();
  const search = ({ provider, kind, code }: KeptOutcome): AnswerReason | null => {
    const fits = (reason: AnswerReason): boolean =>
      (reason.provider === null || reason.provider === provider) &&
      (kind === null || reason.kind === kind);
    const [beginning = ''] = code.split(':');
    for (const name of [code, beginning]) {
      const found = byCode.get(name)?.find(fits);
      if (found !== undefined) return found;
    }
    // Without a kind any such row would be a guess.
    return kind === null ? null : (byCode.get('*')?.find(fits) ?? null);
  };
  return (outcome) => {
    const key = `${outcome.provider} ${outcome.kind ?? ''} ${outcome.code}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const found = search(outcome);
    if (known.size < MOST_REMEMBERED) known.set(key, found);
    return found;
  };
}

/** Codes are the provider's words, of which there might be any number. */
const MOST_REMEMBERED = 10_000;
