import { addressKey, tokenFingerprint } from '../domain/address-key.ts';
import type { ApnsAddress } from '../domain/address.ts';
import type { EventDraft } from '../domain/event.ts';
import { LIMITS } from '../domain/limits.ts';
import { orderOf } from '../domain/ordering.ts';
import type { Purpose } from '../domain/purpose.ts';
import { appendEvents } from '../store/events.ts';
import { lockInstallation } from '../store/installations.ts';
import {
  findPurposeToken,
  forgetRetiredPurposeTokens,
  lockPurposeAddress,
  purposeTokensOf,
  releasePurposeAddress,
  writePurposeToken,
  type PurposeTokenPlace,
  type PurposeTokenRecord,
} from '../store/purpose-tokens.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inRequestTransaction } from '../store/transaction.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { auditWrite } from './audit-write.ts';
import { sourceOf, type RegistryContext } from './caller.ts';

export interface PurposeTokenChange {
  readonly purpose: Purpose;
  /** Which Live Activity; empty for the other purposes. */
  readonly activityId: string;
  readonly seq: number | null;
  /** Null ends the token. */
  readonly address: ApnsAddress | null;
}

export type PurposeTokenResult =
  | { readonly kind: 'stored' | 'superseded'; readonly seq: number | null }
  | { readonly kind: 'too_many' | AccessRefusal };

/** Stands for "no address" where digests of addresses are compared. */
const NO_ADDRESS = Buffer.alloc(0);

/**
 * Attaches, replaces or ends the token of one purpose. Each token is ordered by its own sequence
 * and never touches the alert address. It needs nobody to be signed in; it ends with the link that
 * is open while it is held. A token that another installation holds moves here.
 */
export async function changePurposeToken(
  db: Database,
  context: RegistryContext,
  installationId: string,
  change: PurposeTokenChange,
): Promise<PurposeTokenResult> {
  return inRequestTransaction(db, async (tx) => {
    const key = change.address === null ? NO_ADDRESS : addressKey(change.address);
    if (change.address !== null) await lockPurposeAddress(tx, key);
    const installation = await lockInstallation(tx, context.app.ref, installationId);
    const refusal = refuseAccess(installation, context.caller);
    if (refusal !== null || installation === null) return { kind: refusal ?? 'not_found' };
    const { purpose, activityId } = change;
    const place = { installationRef: installation.ref, purpose, activityId };
    const held = await findPurposeToken(tx, place);
    const mark = { seq: held?.seq ?? null, hash: held?.addressKey ?? null };
    if (orderOf(mark, change.seq, key) !== 'newer') {
      return { kind: holdsAlready(held, change, key) ? 'stored' : 'superseded', seq: mark.seq };
    }
    if (change.address !== null && (await isFull(tx, place))) return { kind: 'too_many' };
    await store(tx, context, place, held, { ...change, key });
    return { kind: 'stored', seq: change.seq ?? mark.seq };
  });
}

/**
 * A repeated report; false when the token has moved away since, which only a newer report undoes.
 */
function holdsAlready(
  held: PurposeTokenRecord | null,
  change: PurposeTokenChange,
  key: Buffer,
): boolean {
  if (held === null || held.seq !== change.seq || !held.addressKey.equals(key)) return false;
  return (held.status === 'retired') === (change.address === null);
}

async function isFull(tx: Transaction, place: PurposeTokenPlace): Promise<boolean> {
  const live = await purposeTokensOf(tx, [place.installationRef]);
  const others = live.filter(
    ({ purpose, activityId }) => purpose !== place.purpose || activityId !== place.activityId,
  );
  return others.length >= LIMITS.purposeTokensPerInstallation;
}

async function store(
  tx: Transaction,
  context: RegistryContext,
  place: PurposeTokenPlace,
  held: PurposeTokenRecord | null,
  change: PurposeTokenChange & { readonly key: Buffer },
): Promise<void> {
  const { app, caller, requestId, now } = context;
  const { address, key, seq } = change;
  const losers = address === null ? [] : await releasePurposeAddress(tx, app.ref, key, place, now);
  // Without a sequence a tombstone would outrank nothing.
  if (address !== null || held !== null || seq !== null) {
    await writePurposeToken(tx, app.ref, place, { address, key, seq }, now);
  }
  const { installationRef } = place;
  if (address === null) {
    const keep = LIMITS.purposeTokensPerInstallation;
    await forgetRetiredPurposeTokens(tx, [installationRef], keep);
  }
  const moved = losers
    .filter((ref) => ref !== installationRef)
    .map((ref) => tokenEvent('token.moved', ref, change, change.address));
  await appendEvents(tx, { appRef: app.ref, at: now, source: sourceOf(caller), requestId }, [
    ...moved,
    ...ownEvents(installationRef, held, change),
  ]);
  await auditWrite(tx, context, {
    action: 'installation.purpose_token',
    subject: `installation/${installationRef}`,
    before: { status: held?.status ?? null },
    after: { purpose: change.purpose, status: address === null ? 'retired' : 'live' },
  });
}

function ownEvents(
  installationRef: number,
  held: PurposeTokenRecord | null,
  change: PurposeTokenChange & { readonly key: Buffer },
): readonly EventDraft[] {
  const { address, key } = change;
  const former = held === null || held.status === 'retired' ? null : held;
  if (former !== null && former.addressKey.equals(key)) return [];
  const base = { installationRef, seq: change.seq, cause: change.purpose } as const;
  if (address === null) {
    return former === null ? [] : [tokenEvent('token.retired', installationRef, change, former)];
  }
  const newToken = tokenFingerprint(address.token);
  if (former === null) return [{ ...base, kind: 'token.attached', newToken }];
  const oldToken = tokenFingerprint(former.token);
  return [{ ...base, kind: 'token.refreshed', oldToken, newToken }];
}

function tokenEvent(
  kind: 'token.moved' | 'token.retired',
  installationRef: number,
  change: PurposeTokenChange,
  lost: { readonly token: string } | null,
): EventDraft {
  const oldToken = lost === null ? null : tokenFingerprint(lost.token);
  const seq = kind === 'token.moved' ? null : change.seq;
  return { installationRef, kind, seq, oldToken, cause: change.purpose };
}
