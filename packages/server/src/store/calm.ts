import type { Installation } from '../domain/installation.ts';
import { lockInstallationRefs } from './installations.ts';
import type { Transaction } from './sql.ts';

/** So many at a time: a short transaction. */
const ROWS = 500;

/** Locks installations whose token is disputed and was moved by nobody since a moment. */
export async function lockCalm(tx: Transaction, since: Date): Promise<readonly Installation[]> {
  const rows = await tx<{ installation_ref: number }[]>`
    select i.installation_ref from installation i
    where i.token_status = 'contested' and not exists (
      select 1 from address_move m
      where m.app_ref = i.app_ref and m.address_key = i.address_key and m.at > ${since})
    limit ${ROWS}`;
  const found = await lockInstallationRefs(
    tx,
    rows.map((row) => row.installation_ref),
  );
  // Whoever lost the token while this waited for the lock, or settled the dispute, is left alone.
  return found.filter(({ token }) => token?.status === 'contested' && token.changedAt <= since);
}

/** Closes the alerts about tokens that nobody has moved since a moment. */
export async function closeCalmAlerts(tx: Transaction, since: Date, now: Date): Promise<void> {
  await tx`
    update alert set closed_at = ${now}, closed_by = 'recovery'
    where kind = 'token_contested' and closed_at is null and last_seen_at <= ${since}`;
}
