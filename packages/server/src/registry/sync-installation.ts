import assert from 'node:assert';
import { addressKey } from '../domain/address-key.ts';
import type { Address } from '../domain/address.ts';
import type { Installation } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import type { FieldGroup, Order } from '../domain/ordering.ts';
import {
  decideSync,
  type DevicePatch,
  type Holder,
  type NamedUser,
  type SyncDecision,
  type SyncPacket,
} from '../domain/registration.ts';
import { appendEvents } from '../store/events.ts';
import {
  deleteInstallation,
  findInstallation,
  insertInstallation,
  lockInstallations,
  updateInstallation,
} from '../store/installations.ts';
import { linkBoundAt } from '../store/links.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { refuseAccess } from './access-check.ts';
import { sourceOf, type RegistryContext } from './caller.ts';
import { proveUser, type UserClaim } from './prove-user.ts';
import { isTakeoverNonce, issueTakeoverNonce, type TakeoverNonce } from './takeover-nonce.ts';
import { writeSync, type DecidedSync } from './write-sync.ts';

/** What an installation, or a back end for it, reports. Left out = unchanged, null = cleared. */
export interface SyncInput {
  readonly installationId: string;
  /** Required from a client; null for callers whose arrival order counts. */
  readonly seq: number | null;
  readonly token?: { readonly address: Address | null; readonly hash: Buffer };
  readonly user?: { readonly claim: UserClaim | null; readonly hash: Buffer };
  readonly device?: { readonly patch: DevicePatch; readonly hash: Buffer };
  readonly takeover: string | null;
}

export interface SyncKeys {
  /** Signs takeover nonces. */
  readonly nonce: Buffer;
  /** Digests the ids of erased users. */
  readonly erasure: Buffer;
}

export type SyncResult =
  | {
      readonly kind: 'synced';
      readonly created: boolean;
      readonly installation: Installation;
      readonly orders: Partial<Readonly<Record<FieldGroup, Order>>>;
      /** Why the user half was refused although the rest applies. */
      readonly refusedProof: string | null;
    }
  | ({ readonly kind: 'token_held' } & TakeoverNonce)
  | { readonly kind: 'forked' | 'removed' | 'wrong_secret' };

/**
 * THE ONE WRITE of the registry: enrolment, token refresh, login, logout by `user: null`, account
 * switch and check-in are all packets of this kind. One transaction; every group that is newer than
 * what is held is applied together, or nothing is.
 */
export async function syncInstallation(
  db: Database,
  context: RegistryContext,
  input: SyncInput,
  keys: SyncKeys,
): Promise<SyncResult> {
  return inTransaction(db, async (tx) => {
    const created = await enrolIfUnknown(tx, context, input.installationId);
    const key = input.token?.address ? addressKey(input.token.address) : null;
    const locked = await lockInstallations(tx, context.app.ref, input.installationId, key);
    const refusal = refuseAccess(locked.installation, context.caller);
    if (refusal === 'wrong_secret' || refusal === 'not_found') return { kind: 'wrong_secret' };
    assert(locked.installation !== null);
    if (refusal === 'removed') {
      if (context.caller.kind === 'client') return { kind: 'removed' };
      await updateInstallation(tx, locked.installation.ref, { removed_at: null });
    }
    const { installation } = locked;
    const holder = locked.holder === null ? null : await describeHolder(tx, locked.holder);
    const named = input.user?.claim
      ? await proveUser(tx, context, installation, input.user.claim, keys.erasure)
      : null;
    const nonceScope = {
      installationId: installation.id,
      addressKey: key ?? Buffer.alloc(0),
      holderRef: holder?.ref ?? 0,
      holderVersion: locked.holder?.holderVersion ?? 0,
    };
    const takeoverEchoed =
      input.takeover !== null &&
      isTakeoverNonce(keys.nonce, nonceScope, input.takeover, context.now);
    const packet = toPacket(input, key, named, takeoverEchoed);
    const decision = decideSync(installation, holder, packet);
    switch (decision.kind) {
      case 'forked':
        await recordFork(tx, context, installation, input.seq);
        return { kind: 'forked' };
      case 'token_held':
        // Nothing of the packet is kept, so the repetition with the nonce is the first contact.
        if (created) await deleteInstallation(tx, installation.ref);
        return {
          kind: 'token_held',
          ...issueTakeoverNonce(keys.nonce, nonceScope, context.now),
        };
      case 'decided':
        return apply(tx, context, { installation, created }, input, {
          packet,
          decided: decision,
          userId: input.user?.claim?.id ?? null,
        });
    }
  });
}

async function enrolIfUnknown(
  tx: Transaction,
  context: RegistryContext,
  id: string,
): Promise<boolean> {
  const { app, caller, now } = context;
  if ((await findInstallation(tx, app.ref, id)) !== null) return false;
  const secretHash = caller.kind === 'client' ? caller.secretHash : null;
  return insertInstallation(tx, app.ref, id, secretHash, now);
}

async function describeHolder(tx: Transaction, holder: Installation): Promise<Holder> {
  assert(holder.token !== null);
  const boundAt = (await linkBoundAt(tx, holder.ref)) ?? holder.token.changedAt;
  return { ref: holder.ref, userRef: holder.link?.userRef ?? null, boundAt };
}

function toPacket(
  input: SyncInput,
  key: Buffer | null,
  named: NamedUser | null,
  takeoverEchoed: boolean,
): SyncPacket {
  const { token, user, device } = input;
  return {
    seq: input.seq,
    takeoverEchoed,
    ...(token && {
      token: {
        claim: token.address === null || key === null ? null : { address: token.address, key },
        hash: token.hash,
      },
    }),
    ...(user && { user: { named, hash: user.hash } }),
    ...(device && { device }),
  };
}

async function apply(
  tx: Transaction,
  context: RegistryContext,
  target: { readonly installation: Installation; readonly created: boolean },
  input: SyncInput,
  change: DecidedSync,
): Promise<SyncResult> {
  const { installation, created } = target;
  const { decided } = change;
  if (created) {
    const at = { appRef: context.app.ref, at: context.now, requestId: context.requestId };
    await appendEvents(tx, { ...at, source: sourceOf(context.caller) }, [
      { installationRef: installation.ref, kind: 'installation.created', seq: input.seq },
    ]);
  }
  if (mustWrite(installation, decided, context.now)) {
    await writeSync(tx, context, installation, change);
  }
  const written = await findInstallation(tx, context.app.ref, installation.id);
  assert(written !== null);
  const { orders, refusedProof } = decided;
  return { kind: 'synced', created, installation: written, orders, refusedProof };
}

/** An unchanged check-in costs no row, unless the last contact was a while ago. */
function mustWrite(
  installation: Installation,
  decision: Extract<SyncDecision, { kind: 'decided' }>,
  now: Date,
): boolean {
  if (Object.values(decision.orders).includes('newer')) return true;
  if (decision.token !== null || decision.events.length > 0) return true;
  if (installation.dormantSince !== null) return true;
  return now.getTime() - installation.lastSeenAt.getTime() > LIMITS.checkInMs;
}

async function recordFork(
  tx: Transaction,
  context: RegistryContext,
  installation: Installation,
  seq: number | null,
): Promise<void> {
  const { app, caller, requestId, now } = context;
  await appendEvents(tx, { appRef: app.ref, at: now, source: sourceOf(caller), requestId }, [
    { installationRef: installation.ref, kind: 'installation.forked', seq },
  ]);
}
