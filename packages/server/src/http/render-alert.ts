import type { Alert, ReasonHelp } from '@homing/protocol';
import { alertSentence } from '../domain/alert.ts';
import { formatTypedId } from '../domain/typed-id.ts';
import type { AlertRecord } from '../store/alerts.ts';

/** An alert as the contract shows it; `help` explains what the provider answered. */
export function renderAlert(alert: AlertRecord, help: ReasonHelp | null): Alert {
  return {
    id: formatTypedId('alr', alert.id),
    kind: alert.kind,
    subject: alert.subject,
    sentence: alertSentence(alert.kind),
    detail: alert.detail,
    help,
    opened_at: alert.openedAt.toISOString(),
    last_seen_at: alert.lastSeenAt.toISOString(),
    closed_at: alert.closedAt?.toISOString() ?? null,
    closed_by: alert.closedBy,
  };
}
