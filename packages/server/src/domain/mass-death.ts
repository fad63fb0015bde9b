import { LIMITS } from './limits.ts';

/** One credential at one host of its provider: what an error of ours, or of theirs, hits alike. */
export interface AnsweringHost {
  readonly credentialRef: number;
  readonly host: string;
}

/** What one host answered within `LIMITS.massDeathMs`. */
export interface AnswerWindow {
  readonly accepted: boolean;
  /** Distinct tokens that the provider called dead or said to belong elsewhere. */
  readonly lostTokens: number;
  /** All answers that took nothing, these among them. */
  readonly refusals: number;
}

/**
 * Whether a provider rather describes an error of a credential than the death of its tokens:
 * phones do not change hands by the dozen while not one of them takes a push.
 */
export function isMassDeath({ accepted, lostTokens, refusals }: AnswerWindow): boolean {
  return (
    !accepted &&
    lostTokens >= LIMITS.massDeathTokens &&
    lostTokens > refusals * LIMITS.massDeathShare
  );
}

/** How alerts name a host. */
export function freezeSubject({ credentialRef, host }: AnsweringHost): string {
  return `credential/${credentialRef}@${host}`;
}

/** The host that the subject of a freeze names; null for the subject of anything else. */
export function frozenHost(subject: string): AnsweringHost | null {
  const match = /^credential\/(\d+)@(.+)$/.exec(subject);
  return match === null ? null : { credentialRef: Number(match[1]), host: match[2] ?? '' };
}
