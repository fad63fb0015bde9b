import type { SkipReason } from './delivery.ts';
import type { TokenStatus } from './installation.ts';
import type { Lane } from './notification.ts';

/** What decides, when an audience is expanded, on which lane an installation goes, if on any. */
export interface Reachability {
  readonly tokenStatus: TokenStatus | null;
  /** The credential that serves its address; null when none does. */
  readonly credentialRef: number | null;
  readonly isDormant: boolean;
}

/** Why an installation needs no look by the gate; null when it is to be put on a lane. */
export function unreachableReason(candidate: Reachability, lane: Lane): SkipReason | null {
  if (candidate.tokenStatus === null || candidate.tokenStatus === 'retired') return 'no_token';
  if (candidate.isDormant && lane === 'bulk') return 'dormant';
  return candidate.credentialRef === null ? 'no_credential' : null;
}
