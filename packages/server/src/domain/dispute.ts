import { tokenFingerprint } from './address-key.ts';
import type { AlertDraft, AlertSubject } from './alert.ts';
import { NO_CHANGES, type ChangeSet } from './change-set.ts';
import type { Installation } from './installation.ts';
import type { TokenClaim, TokenChange } from './registration.ts';

type DisputeChanges = Pick<ChangeSet, 'settledKeys' | 'openedAlerts' | 'closedAlerts'>;

/** What a change of a token begins or ends of a dispute about it (case S33). */
export function disputeChanges(
  { id, appRef }: Installation,
  change: TokenChange | null,
): DisputeChanges {
  if (change?.kind === 'hold' && change.isContested) {
    const { claim, recentMoves: moves } = change;
    const detail = { token: tokenFingerprint(claim.address.token), installation: id, moves };
    const alert: AlertDraft = { ...aboutDispute(appRef, claim), detail };
    return { settledKeys: [], openedAlerts: [alert], closedAlerts: [] };
  }
  if (change?.kind === 'confirm' && change.settlesDispute) {
    const { claim } = change;
    return {
      settledKeys: [claim.key],
      openedAlerts: [],
      closedAlerts: [aboutDispute(appRef, claim)],
    };
  }
  const { settledKeys, openedAlerts, closedAlerts } = NO_CHANGES;
  return { settledKeys, openedAlerts, closedAlerts };
}

/** One alert for each disputed token, whoever has it at the moment. */
function aboutDispute(appRef: number, { key }: TokenClaim): AlertSubject {
  const subject = `address/${key.toString('hex').slice(0, 16)}`;
  return { appRef, kind: 'token_contested', subject };
}
