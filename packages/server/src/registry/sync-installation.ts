import assert from 'node:assert';
import { addressKey } from '../domain/address-key.ts';
import type { Address } from '../domain/address.ts';
import { addresseeTag } from '../domain/addressee-tag.ts';
import type { Installation } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import type { FieldGroup, Order } from '../domain/ordering.ts';
import { supersededEvent } from '../domain/registration-events.ts';
import {
  decideSync,
  isUrgent,
  type DevicePatch,
  type Holder,
  type NamedUser,
  type SyncPacket,
} from '../domain/registration.ts';
import { appendEvents } from '../store/events.ts';
import {
  adoptInstallation,
  deleteInstallation,
  findInstallation,
  insertInstallation,
  lockInstallations,
  updateInstallation,
} from '../store/installations.ts';
import { linkBoundAt } from '../store/links.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import { lockUserSessions } from '../store/users.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { sourceOf, type RegistryContext } from './caller.ts';
import { isFromElsewhere } from './device-evidence.ts';
import { proveUser, type UserClaim } from './prove-user.ts';
import { reportOnce } from './report-once.ts';
import { isTakeoverNonce, issueTakeoverNonce, type TakeoverNonce } from './takeover-nonce.ts';
import { writeSync, type JudgedSync } from './write-sync.ts';

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
  | { readonly kind: 'forked' | AccessRefusal };

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
    const target = await openTarget(tx, context, input, keys);
    if (target.kind !== 'open') return target;
    const { installation, created, key, named } = target;
    const holder = target.holder === null ? null : await describeHolder(tx, target.holder);
    const nonceScope = {
      installationId: installation.id,
      addressKey: key ?? Buffer.alloc(0),
      holderRef: holder?.ref ?? 0,
      holderVersion: target.holder?.holderVersion ?? 0,
    };
    const takeoverEchoed =
      input.takeover !== null &&
      isTakeoverNonce(keys.nonce, nonceScope, input.takeover, context.now);
    const packet = toPacket(input, key, named, takeoverEchoed);
    const decision = decideSync(installation, holder, packet);
    switch (decision.kind) {
      case 'forked': {
        const fork = { kind: 'installation.forked', seq: input.seq } as const;
        await reportOnce(tx, context, { installationRef: installation.ref, ...fork });
        return { kind: 'forked' };
      }
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

/** The installation under lock, with whoever holds the claimed address and what the proof says. */
interface SyncTarget {
  readonly kind: 'open';
  readonly installation: Installation;
  readonly created: boolean;
  readonly holder: Installation | null;
  /** Of the claimed address; null when the packet claims none. */
  readonly key: Buffer | null;
  readonly named: NamedUser | null;
}

async function openTarget(
  tx: Transaction,
  context: RegistryContext,
  input: SyncInput,
  keys: SyncKeys,
): Promise<SyncTarget | { readonly kind: AccessRefusal }> {
  const { app, caller } = context;
  const claim = input.user?.claim ?? null;
  // Users before installations, like everything that ends sessions.
  if (claim !== null) await lockUserSessions(tx, app.ref, claim.id, 'shared');
  const created = await enrolIfUnknown(tx, context, input.installationId);
  const key = input.token?.address ? addressKey(input.token.address) : null;
  const locked = await lockInstallations(tx, app.ref, input.installationId, key);
  assert(locked.installation !== null);
  const named =
    claim === null ? null : await proveUser(tx, context, locked.installation, claim, keys.erasure);
  const installation = await adopt(tx, context, locked.installation, claim, named);
  const refusal = refuseAccess(installation, caller);
  if (refusal === 'removed' && caller.kind !== 'client') {
    await updateInstallation(tx, installation.ref, { removed_at: null });
  } else if (refusal !== null) {
    return { kind: refusal };
  }
  if (await isFromElsewhere(tx, context, installation, key, named)) {
    return { kind: 'user_mismatch' };
  }
  return { kind: 'open', installation, created, holder: locked.holder, key, named };
}

async function enrolIfUnknown(
  tx: Transaction,
  context: RegistryContext,
  id: string,
): Promise<boolean> {
  const { app, caller, now } = context;
  if ((await findInstallation(tx, app.ref, id)) !== null) return false;
  if (caller.kind !== 'back_end') caller.admit('enrolling');
  const secretHash = caller.kind === 'client' ? caller.secretHash : null;
  return insertInstallation(tx, app.ref, id, secretHash, now);
}

/**
 * An installation that a back end made has no secret yet. It becomes that of the first client whose
 * proof stands: an assertion names the installation that it is for, so that no other device has it.
 */
async function adopt(
  tx: Transaction,
  { caller }: RegistryContext,
  installation: Installation,
  claim: UserClaim | null,
  named: NamedUser | null,
): Promise<Installation> {
  if (caller.kind !== 'client' || installation.secretHash !== null) return installation;
  if (installation.removedAt !== null) return installation;
  if (claim === null || named === null || named.proof.kind === 'refused') return installation;
  const { ref, link } = installation;
  const { secretHash } = caller;
  const rcpt = link?.userRef === named.userRef ? addresseeTag(secretHash, claim.id) : null;
  await adoptInstallation(tx, ref, secretHash, rcpt);
  return { ...installation, secretHash, link: link === null ? null : { ...link, rcpt } };
}

/** Late is what was issued before the link was made or the token came to the holder. */
async function describeHolder(tx: Transaction, holder: Installation): Promise<Holder> {
  assert(holder.token !== null);
  const { changedAt } = holder.token;
  const linkedAt = (await linkBoundAt(tx, holder.ref)) ?? changedAt;
  const boundAt = linkedAt > changedAt ? linkedAt : changedAt;
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
  judged: JudgedSync,
): Promise<SyncResult> {
  const { installation, created } = target;
  const { decided } = judged;
  if (created) {
    const at = { appRef: context.app.ref, at: context.now, requestId: context.requestId };
    await appendEvents(tx, { ...at, source: sourceOf(context.caller) }, [
      { installationRef: installation.ref, kind: 'installation.created', seq: input.seq },
    ]);
  }
  if (isUrgent(installation, decided) || isCheckInDue(installation, context.now)) {
    await writeSync(tx, context, installation, judged);
  }
  const late = supersededEvent(installation, decided, input.seq);
  if (late !== null) await reportOnce(tx, context, late);
  const written = await findInstallation(tx, context.app.ref, installation.id);
  assert(written !== null);
  const { orders, refusedProof } = decided;
  return { kind: 'synced', created, installation: written, orders, refusedProof };
}

/** An unchanged check-in costs no row, unless the last contact was a while ago. */
function isCheckInDue(installation: Installation, now: Date): boolean {
  return now.getTime() - installation.lastSeenAt.getTime() > LIMITS.checkInMs;
}
