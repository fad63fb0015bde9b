import assert from 'node:assert';
import { LIMITS } from '../domain/limits.ts';
import { lockApp, type App } from '../store/apps.ts';
import { appendAudit, type AuditRecord } from '../store/audit.ts';
import { listIdentityKeys, retireIdentityKey, type IdentityKey } from '../store/identity-keys.ts';
import type { Transaction } from '../store/sql.ts';
import { addIdentityKey, type NewIdentityKey } from './identity-key.ts';
import type { Vault } from './sealing.ts';

/** Who changes the keys of which app, for the audit record. */
export interface KeyChange {
  readonly app: App;
  readonly keyHint: string;
  readonly requestId: string | null;
  readonly now: Date;
}

export type AddKeyResult =
  | { readonly kind: 'added'; readonly key: IdentityKey }
  /** Nothing was stored. */
  | { readonly kind: 'too_many' }
  | { readonly kind: 'known_id' };

/** Adds a key beside the one that is live; a third one would have to replace one of the two. */
export async function addKeyToApp(
  tx: Transaction,
  vault: Vault,
  change: KeyChange,
  key: NewIdentityKey,
): Promise<AddKeyResult> {
  const { app, now } = change;
  await lockApp(tx, app.ref);
  const live = await listIdentityKeys(tx, app.ref);
  if (live.length >= LIMITS.identityKeysLive) return { kind: 'too_many' };
  const ref = await addIdentityKey(tx, vault, app.ref, key, now);
  if (ref === null) return { kind: 'known_id' };
  await audit(tx, change, 'identity_key.add', ref, { key_id: key.keyId, algorithm: key.algorithm });
  const added = (await listIdentityKeys(tx, app.ref)).find((one) => one.ref === ref);
  assert(added !== undefined);
  return { kind: 'added', key: added };
}

/** Ends a key at once; false when the app has no live key of this id. */
export async function retireKeyOfApp(
  tx: Transaction,
  change: KeyChange,
  keyId: string,
): Promise<boolean> {
  const { app, now } = change;
  const ref = await retireIdentityKey(tx, app.ref, keyId, now);
  if (ref === null) return false;
  await audit(tx, change, 'identity_key.retire', ref, null);
  return true;
}

async function audit(
  tx: Transaction,
  { app, keyHint, requestId }: KeyChange,
  action: string,
  ref: number,
  after: AuditRecord['after'],
): Promise<void> {
  const subject = `identity_key/${ref}`;
  const record = { appRef: app.ref, actor: keyHint, action, subject, requestId };
  await appendAudit(tx, [{ ...record, before: null, after }]);
}
