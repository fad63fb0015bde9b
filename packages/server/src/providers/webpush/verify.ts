import type { Verification } from '../../domain/verification.ts';
import { findingOf, type FindingTable } from '../finding.ts';

/** What can be told of a VAPID key; a pair or a subject that is wrong is refused as a setting. */
export const WEB_PUSH_FINDINGS = {
  subscription_needed: {
    weight: 'notice',
    field: null,
    meaning:
      'the keys belong together and the subject is one that push services take; whether they take ' +
      'pushes only a subscription that was made with the key can show',
    fix: 'Subscribe in a browser with this key, and send something to it.',
  },
} as const satisfies FindingTable;

/**
 * A push service looks at a key only together with a subscription that was made with it, and of
 * those each is somebody's browser. So nobody is asked.
 */
export function verifyWebPush(): Verification {
  const { subscription_needed: row } = WEB_PUSH_FINDINGS;
  const findings = [findingOf('subscription_needed', row)];
  return { wasAsked: false, findings, clockAheadMs: null };
}
