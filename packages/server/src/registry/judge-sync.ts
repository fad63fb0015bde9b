import assert from 'node:assert';
import type { OpenChallenge } from '../domain/challenge.ts';
import type { Installation } from '../domain/installation.ts';
import type { MacKeys } from '../domain/mac-keys.ts';
import { LIMITS } from '../domain/limits.ts';
import { adoptedBy, type DecidedPacket } from '../domain/registration-changes.ts';
import {
  type AccountMode,
  isUrgent,
  toHolder,
  type DecidedSync,
  type decideSync,
  type NamedUser,
  type SyncPacket,
  type TakeoverRule,
  type TokenClaim,
} from '../domain/registration.ts';
import { isNameBased } from '../domain/uuid.ts';
import { refuseAccess, type AccessRefusal } from './access-check.ts';
import { keyHintOf, type RegistryContext } from './caller.ts';
import { askForEcho, type Asked } from './challenge.ts';
import { isFromElsewhere } from './device-evidence.ts';
import { predecessorsOf } from './predecessors.ts';
import { isAdoption, proveUser } from './prove-user.ts';
import { NO_DISPUTE, type Dispute, type SyncFacts } from './sync-facts.ts';
import type { SyncInput, SyncRequest } from './sync-request.ts';
import {
  isTakeoverNonce,
  issueTakeoverNonce,
  type TakeoverNonce,
  type TakeoverScope,
} from './takeover-nonce.ts';

export interface SyncKeys {
  /** Signs takeover nonces. */
  readonly nonce: MacKeys;
  /** Digests the ids of erased users. */
  readonly erasure: MacKeys;
}

/** What packets are judged by. */
export interface SyncRules {
  readonly keys: SyncKeys;
  readonly decide: typeof decideSync;
}

/** The installation that a packet is about, as it stands before anything is decided. */
export interface SyncTarget {
  readonly installation: Installation;
  readonly created: boolean;
  /** It differs from its row: it got a secret, or came back from removal. */
  readonly isTouched: boolean;
}

/** What a packet comes to; nothing of it is written yet. */
export type SyncVerdict =
  | { readonly kind: 'refused'; readonly refusal: AccessRefusal }
  | ({ readonly kind: 'forked' } & SyncTarget)
  | ({ readonly kind: 'token_held'; readonly nonce: TakeoverNonce } & SyncTarget)
  /** Moved by challenge alone; null for those who cannot echo one. */
  | ({ readonly kind: 'token_challenged'; readonly asked: Asked | null } & SyncTarget)
  | ({
      readonly kind: 'decided';
      readonly packet: DecidedPacket;
      /** False for a repetition that costs no row. */
      readonly isWritten: boolean;
      /** It names users in the form of the other kind of app. */
      readonly isWrongForm: boolean;
      /** For the claimed address. */
      readonly openChallenges: readonly OpenChallenge[];
    } & SyncTarget);

/**
 * Judges one packet on what the registry holds: the same for one that is alone and for one of many,
 * under lock and on a snapshot. Throws what the caller's `admit` throws.
 */
export function judgeSync(request: SyncRequest, facts: SyncFacts, rules: SyncRules): SyncVerdict {
  const { context, input } = request;
  const held = facts.installations.get(input.installationId) ?? null;
  const named = held === null ? [] : nameUsers(request, held, facts);
  const target = held === null ? null : openTarget(context, held, named, facts);
  const refusal = refuseAccess(target?.installation ?? null, context.caller);
  if (target === null || refusal !== null)
    return { kind: 'refused', refusal: refusal ?? 'not_found' };
  const presentedKey = input.token?.claim?.key ?? null;
  if (isFromElsewhere(context, target.installation, presentedKey, named, facts)) {
    return { kind: 'refused', refusal: 'user_mismatch' };
  }
  const heard = withoutOldToken(request, target.installation, named, facts);
  const key = heard.input.token?.claim?.key ?? null;
  const others = {
    holder: holderOf(target.installation, key, facts),
    predecessors: predecessorsOf(request, facts),
    dispute: facts.disputes.get(key?.toString('hex') ?? '') ?? NO_DISPUTE,
    accountMode: facts.accountMode,
  };
  return decideTarget(heard, target, named, others, rules);
}

/**
 * Without a sequence a packet may be a late one. What names somebody by an assertion of the past is
 * one, so that its token is old as well. A goodbye may be one, and nobody is there whose pushes the
 * token could be for: one that somebody else holds meanwhile is none of its business.
 */
function withoutOldToken(
  request: SyncRequest,
  installation: Installation,
  named: readonly NamedUser[],
  facts: SyncFacts,
): SyncRequest {
  const { context, input } = request;
  if (context.caller.kind !== 'simple') return request;
  const { token, ...rest } = input;
  const isPast = named.some(({ proof }) => proof.kind === 'refused' && proof.isPast);
  const isOfOthers = holderOf(installation, token?.claim?.key ?? null, facts) !== null;
  return isPast || (namesNobody(input) && isOfOthers) ? { ...request, input: rest } : request;
}

function namesNobody({ user }: SyncInput): boolean {
  return user !== undefined && user.claims.every(({ proof }) => proof.kind === 'leaving');
}

/** That somebody leaves, or that nobody is there, can be said in both kinds of app. */
function isWrongForm(input: SyncInput, accountMode: AccountMode): boolean {
  const { user } = input;
  return user !== undefined && user.form !== accountMode && !namesNobody(input);
}

/** Other installations that a packet may change, their quarrel, and the app's mode. */
interface Others {
  readonly holder: Installation | null;
  readonly predecessors: readonly Installation[];
  readonly dispute: Dispute;
  readonly accountMode: AccountMode;
}

function decideTarget(
  request: SyncRequest,
  target: SyncTarget,
  named: readonly NamedUser[],
  others: Others,
  { keys, decide }: SyncRules,
): SyncVerdict {
  const { context, input } = request;
  const { now } = context;
  const { installation } = target;
  const { holder, predecessors, dispute, accountMode } = others;
  const claim = input.token?.claim ?? null;
  const takeoverBy = takeoverRule(context, holder);
  const scope = nonceScope(installation, claim, holder, takeoverBy);
  const takeoverEchoed =
    input.takeover !== null && isTakeoverNonce(keys.nonce, scope, input.takeover, now);
  const { recentMoves } = dispute;
  const rules = { takeoverBy, takeoverEchoed, recentMoves, accountMode };
  const packet = toPacket(input, named, rules);
  const decided = decide(installation, holder === null ? null : toHolder(holder), packet);
  switch (decided.kind) {
    case 'forked':
      return { kind: 'forked', ...target };
    case 'token_held': {
      if (takeoverBy !== 'challenge') {
        return {
          kind: 'token_held',
          nonce: issueTakeoverNonce(keys.nonce[0], scope, now),
          ...target,
        };
      }
      const asked = askClaimant(request, others, keys.nonce[0]);
      return { kind: 'token_challenged', asked, ...target };
    }
    case 'decided': {
      const outdatesAssertions = isLastWord(context, packet, decided);
      const isDue = now.getTime() - installation.lastSeenAt.getTime() > LIMITS.checkInMs;
      const facts = { installation, holder, predecessors, packet, decided, at: now };
      return {
        kind: 'decided',
        packet: { ...facts, outdatesAssertions },
        isWritten: isUrgent(installation, decided) || isDue,
        isWrongForm: isWrongForm(input, accountMode),
        openChallenges: dispute.openChallenges,
        ...target,
      };
    }
  }
}

/** Null for a simple client, which has no way to echo what it gets. */
function askClaimant(
  { context, input }: SyncRequest,
  { holder, dispute }: Others,
  nonceKey: Buffer,
): Asked | null {
  const token = input.token?.claim ?? null;
  assert(holder !== null && token !== null);
  if (context.caller.kind !== 'client') return null;
  const claim = { claimantId: input.installationId, token, holder };
  return askForEcho(nonceKey, claim, dispute.openChallenges, context.now);
}

/** Where arrival order counts there is no proof to compare, unless the app wants a strict one. */
function takeoverRule({ app, caller }: RegistryContext, holder: Installation | null): TakeoverRule {
  if (keyHintOf(caller) !== null) return 'word';
  if (app.takeover === 'challenge') return 'challenge';
  if (caller.kind === 'client') return 'assertion';
  // A holder with a secret is up to date: late packets of a home-grown client take nothing of it.
  const isGuarded = (holder?.secretHash ?? null) !== null;
  return isGuarded && caller.kind === 'simple' && caller.bearer.kind === 'user'
    ? 'assertion'
    : 'word';
}

/**
 * What is said in the form of the other kind of app signs nobody in. It tells all the same that
 * those whom it does not name are not at the device (rule R6): an app whose mode was switched has
 * clients of before for a long time.
 */
function nameUsers(
  { context, input }: SyncRequest,
  installation: Installation,
  facts: SyncFacts,
): readonly NamedUser[] {
  const claims = input.user?.claims ?? [];
  const named = claims.flatMap((claim) => proveUser(context, installation, claim, facts) ?? []);
  return isWrongForm(input, facts.accountMode) ? named.map(toUnproven) : named;
}

function toUnproven(user: NamedUser): NamedUser {
  if (user.proof.kind === 'refused') return user;
  const why = 'users are named in the form of another account mode';
  return { ...user, proof: { kind: 'refused', why, isPast: false } };
}

/**
 * An installation that a back end made has no secret yet. It becomes that of the first client whose
 * assertion stands: one names the installation that it is for, so that no other device has it. A
 * removed one comes back when those whose arrival order counts report it again.
 */
function openTarget(
  { caller }: RegistryContext,
  installation: Installation,
  named: readonly NamedUser[],
  { enrolled }: SyncFacts,
): SyncTarget {
  const created = enrolled.has(installation.id);
  if (installation.removedAt !== null) {
    const isBack = caller.kind === 'back_end' || isWithinReach(installation, caller);
    return isBack
      ? { installation: { ...installation, removedAt: null }, created, isTouched: true }
      : { installation, created, isTouched: false };
  }
  // One of the simple routes is nobody's to adopt: its id follows from a device id, no secret.
  const isAdoptable = installation.secretHash === null && !isNameBased(installation.id);
  if (caller.kind === 'client' && isAdoptable && named.some(isAdoption)) {
    const adopted = adoptedBy(installation, caller.secretHash);
    return { installation: adopted, created, isTouched: true };
  }
  return { installation, created, isTouched: false };
}

/** The simple routes never reach an installation that has a secret. */
function isWithinReach({ secretHash }: Installation, caller: RegistryContext['caller']): boolean {
  return caller.kind === 'simple' && secretHash === null;
}

/** Whoever else holds the claimed address. */
function holderOf(
  installation: Installation,
  key: Buffer | null,
  { holders }: SyncFacts,
): Installation | null {
  const holder = key === null ? undefined : holders.get(key.toString('hex'));
  return holder === undefined || holder.ref === installation.ref ? null : holder;
}

/** What a nonce has to be for; of a token that the installation holds, to settle a dispute. */
function nonceScope(
  installation: Installation,
  claim: TokenClaim | null,
  holder: Installation | null,
  takeoverBy: TakeoverRule,
): TakeoverScope {
  const { ref: holderRef, holderVersion } = holder ?? installation;
  return {
    installationId: installation.id,
    addressKey: claim?.key ?? Buffer.alloc(0),
    holderRef,
    holderVersion,
    by: holder === null || takeoverBy === 'challenge' ? 'token' : 'answer',
  };
}

function toPacket(
  { seq, token, user, device }: SyncInput,
  named: readonly NamedUser[],
  found: Pick<SyncPacket, 'takeoverBy' | 'takeoverEchoed' | 'recentMoves' | 'accountMode'>,
): SyncPacket {
  return {
    seq,
    ...found,
    ...(token && { token }),
    ...(user && { user: { named, hash: user.hash } }),
    ...(device && { device }),
  };
}

/**
 * From now on an assertion has to be newer than the back end's word about the user, or than a
 * logout on the simple routes: proofs are used again and again there, and there is no sequence.
 */
function isLastWord(
  { caller }: RegistryContext,
  packet: SyncPacket,
  decided: DecidedSync,
): boolean {
  if (packet.user === undefined) return false;
  if (caller.kind === 'back_end') return true;
  const isLogout = packet.user.named.length === 0 && decided.links.ended.length > 0;
  return caller.kind === 'simple' && isLogout;
}
