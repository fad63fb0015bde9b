import type { DevicePreferences } from '../domain/installation.ts';
import { orderOf } from '../domain/ordering.ts';
import { appendEvents } from '../store/events.ts';
import { lockInstallation, updateInstallation } from '../store/installations.ts';
import { json, type Database } from '../store/sql.ts';
import { inRequestTransaction } from '../store/transaction.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { auditWrite } from './audit-write.ts';
import { sourceOf, type RegistryContext } from './caller.ts';

export interface PreferencesChange {
  readonly seq: number | null;
  readonly hash: Buffer;
  readonly patch: Partial<DevicePreferences>;
}

export type PreferencesResult =
  | {
      readonly kind: 'stored' | 'superseded';
      readonly seq: number | null;
      /** What is stored now. */
      readonly preferences: DevicePreferences;
    }
  | { readonly kind: 'forked' | AccessRefusal };

/**
 * Stores what a device prefers; ordered like every field group, and kept over logins and logouts,
 * but for the mode `only_this_device`, which ends with the session that it was said in.
 */
export async function changePreferences(
  db: Database,
  context: RegistryContext,
  installationId: string,
  change: PreferencesChange,
): Promise<PreferencesResult> {
  return inRequestTransaction(db, async (tx) => {
    const { app, caller, requestId, now } = context;
    const installation = await lockInstallation(tx, app.ref, installationId);
    const refusal = refuseAccess(installation, caller);
    if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
    const mark = installation.marks.preferences;
    const order = orderOf(mark, change.seq, change.hash);
    if (order === 'forked') return { kind: 'forked' };
    if (order !== 'newer') {
      const kind = order === 'replay' ? 'stored' : 'superseded';
      return { kind, seq: mark.seq, preferences: installation.preferences };
    }
    const preferences = { ...installation.preferences, ...change.patch };
    const marks =
      change.seq === null ? {} : { preferences_seq: change.seq, preferences_hash: change.hash };
    await updateInstallation(tx, installation.ref, {
      preferences: json(toRow(preferences)),
      ...marks,
      updated_at: now,
    });
    const event = { kind: 'preference.changed', cause: `mode ${preferences.mode}` } as const;
    await appendEvents(tx, { appRef: app.ref, at: now, source: sourceOf(caller), requestId }, [
      { installationRef: installation.ref, seq: change.seq, ...event },
    ]);
    await auditWrite(tx, context, {
      action: 'installation.preferences',
      subject: `installation/${installation.ref}`,
      before: { mode: installation.preferences.mode },
      after: { mode: preferences.mode },
    });
    return { kind: 'stored', seq: change.seq ?? mark.seq, preferences };
  });
}

function toRow(preferences: DevicePreferences): Readonly<Record<string, unknown>> {
  return {
    mode: preferences.mode,
    muted_until: preferences.mutedUntil?.toISOString() ?? null,
    categories: preferences.categories,
  };
}
