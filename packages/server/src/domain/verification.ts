/**
 * One thing that came up when a provider was asked about a credential.
 *
 * - `wrong`: nothing, or not all, can be sent with it as it is.
 * - `unclear`: the provider did not answer the question; ask again.
 * - `notice`: it works, and somebody should know this all the same.
 */
export interface Finding {
  readonly weight: 'wrong' | 'unclear' | 'notice';
  /** Stable, for programs. */
  readonly code: string;
  /** What is the matter, for people. */
  readonly meaning: string;
  /** What to do about it: one short imperative sentence. */
  readonly fix: string;
  /** The path of the setting at fault, as docs/providers names it; null where it is none. */
  readonly field: string | null;
  /** The provider's own word, or the system's; null where there was none. */
  readonly answer: string | null;
}

/** What a provider says about a credential when it is asked in a way that reaches no phone. */
export interface Verification {
  /** Whether somebody was asked who refuses credentials that are wrong. */
  readonly wasAsked: boolean;
  readonly findings: readonly Finding[];
  /** How far our clock is ahead of the provider's, to the second; null when it told no time. */
  readonly clockAheadMs: number | null;
}

/**
 * Whether the provider was asked about all that the credential is for, and took it; null where
 * nothing is wrong as far as can be told, and nobody could be asked.
 */
export function verdictOf({ findings, wasAsked }: Verification): boolean | null {
  if (findings.some(({ weight }) => weight !== 'notice')) return false;
  return wasAsked ? true : null;
}
