import type { Address } from './address.ts';
import {
  OTHER_ENVIRONMENT,
  type DeviceFacts,
  type HeldToken,
  type Installation,
  type OpenLink,
  type Permission,
  type TokenError,
} from './installation.ts';
import { LIMITS } from './limits.ts';
import { orderOf, type FieldGroup, type Order } from './ordering.ts';

/**
 * The registry's one decision: what a registration packet changes. Pure, so that every race can be
 * replayed as data; `registry/sync-batch.ts` reads the rows under lock, calls this, and
 * writes what it says.
 *
 * A packet names any of the groups token, user and device. Each group is ordered on its own:
 *   superseded → ignored, whatever it proves;  replay → confirms what is held, ends nothing;
 *   forked → the whole packet is refused;      newer → acts, under the rules R3, R4 and R6.
 */
export interface SyncPacket {
  /** Null for a back end's write: arrival order counts and sequences stay as they are. */
  readonly seq: number | null;
  readonly token?: { readonly claim: TokenClaim | null; readonly hash: Buffer };
  /** Everybody who is signed in from now on. */
  readonly user?: { readonly named: readonly NamedUser[]; readonly hash: Buffer };
  readonly device?: { readonly patch: DevicePatch; readonly hash: Buffer };
  /** What it takes to have a token that another installation holds. */
  readonly takeoverBy: TakeoverRule;
  /** True when the packet echoes a nonce that was issued for exactly this takeover. */
  readonly takeoverEchoed: boolean;
  /** How often the claimed address went from one installation to another lately. */
  readonly recentMoves: number;
  /** How many users the app lets be signed in on one installation: one, or several. */
  readonly accountMode: AccountMode;
}

/**
 * - `word`: to say so; the customer's own back end is believed.
 * - `assertion`: a newer assertion, or the nonce of the refusal.
 * - `challenge`: a nonce that came through the token itself, and nothing else.
 */
export type TakeoverRule = 'word' | 'assertion' | 'challenge';

export type AccountMode = 'exclusive' | 'multi';

export interface TokenClaim {
  readonly address: Address;
  readonly key: Buffer;
  /** The VAPID key in the address is a guess; what is held knows better. */
  readonly assumesKey?: true;
}

/** A user whom a packet names, with what the proof was worth. */
export interface NamedUser {
  /** The customer's own id. */
  readonly id: string;
  /** Null for somebody whom the app does not know: whoever is attached is made known with that. */
  readonly userRef: number | null;
  readonly proof: Proof;
}

/** What a proof is worth by itself, whether or not anybody has to be signed in by it. */
export type Proof =
  /** The `jti` is null for an assertion that is on record as used by this very installation. */
  | { readonly kind: 'proven'; readonly issuedAt: Date; readonly jti: string | null }
  /** A back end's word, for which arrival order counts. */
  | { readonly kind: 'trusted' }
  /** A client's word that carries no time: it signs in under a sequence of its own. */
  | { readonly kind: 'claimed' }
  | {
      readonly kind: 'refused';
      readonly why: string;
      /** It speaks of what was before, so that it does not tell who is there now. */
      readonly isPast: boolean;
    };

export interface DevicePatch {
  readonly permission?: Permission | null;
  readonly tokenError?: TokenError | null;
  readonly facts: Partial<DeviceFacts>;
  readonly tags?: Readonly<Record<string, string>> | null;
  readonly deviceTags?: Readonly<Record<string, string>> | null;
  /** The device's own clock, kept for support and never used for order. */
  readonly clientTime?: Date;
}

/** The other installation that holds the claimed address, if any. */
export interface Holder {
  readonly ref: number;
  /** When its newest link was asserted or made, or when the token came to it, if that is later. */
  readonly boundAt: Date;
}

/** What becomes of the links of an installation. */
export interface LinkChanges {
  readonly ended: readonly OpenLink[];
  readonly endedBy: 'logout' | 'switched';
  readonly begun: readonly NewLink[];
  /** Whom no good proof vouched for, and why. */
  readonly refused: readonly RefusedUser[];
}

export interface NewLink {
  readonly user: NamedUser;
  readonly assertedAt: Date | null;
}

export interface RefusedUser {
  readonly userId: string;
  readonly why: string;
}

export type TokenChange =
  | {
      readonly kind: 'hold';
      readonly claim: TokenClaim;
      readonly displaced: Holder | null;
      /** How often it moved lately, now included. */
      readonly recentMoves: number;
      /** That is too often: nothing for a user goes there until the device answers. */
      readonly isContested: boolean;
    }
  /** The same address; what is not part of its key, such as a browser's keys, may have changed. */
  | {
      readonly kind: 'confirm';
      readonly claim: TokenClaim;
      /** The device has echoed what came through the token, which ends the dispute. */
      readonly settlesDispute: boolean;
      /** What had put the token aside says nothing of the dispute, which goes on. */
      readonly isContested: boolean;
    }
  | { readonly kind: 'clear' };

export type SyncDecision =
  | { readonly kind: 'forked' }
  | { readonly kind: 'token_held'; readonly holder: Holder }
  | {
      readonly kind: 'decided';
      readonly orders: Partial<Readonly<Record<FieldGroup, Order>>>;
      readonly token: TokenChange | null;
      readonly links: LinkChanges;
      readonly device: DevicePatch | null;
    };

export type DecidedSync = Extract<SyncDecision, { readonly kind: 'decided' }>;

export function decideSync(
  installation: Installation,
  holder: Holder | null,
  packet: SyncPacket,
): SyncDecision {
  const orders = ordersOf(installation, packet);
  if (Object.values(orders).includes('forked') || alternates(installation, packet, orders.token)) {
    return { kind: 'forked' };
  }

  const tokenActs = doesTokenAct(installation, packet, orders.token);
  const claimed = tokenActs ? withKnownKey(packet.token?.claim ?? null, installation.token) : null;
  if (claimed !== null && holder !== null && !mayTakeOver(holder, packet, orders.user)) {
    return { kind: 'token_held', holder };
  }
  const token = tokenActs ? tokenChange(installation, claimed, holder, packet) : null;
  const device = orders.device === 'newer' ? (packet.device?.patch ?? null) : null;
  const links = linkChanges(installation, packet, orders.user);
  return { kind: 'decided', orders, token, links, device };
}

/**
 * Whether a decision has to be written at once. What is left are repetitions, which cost no row
 * until the last contact is a while ago.
 */
export function isUrgent(installation: Installation, decided: DecidedSync): boolean {
  if (Object.values(decided.orders).includes('newer') || changesLinks(decided)) return true;
  if (installation.dormantSince !== null) return true;
  if (decided.token?.kind !== 'confirm') return decided.token !== null;
  return isPutAside(installation.token) || installation.token?.status === 'contested';
}

export function changesLinks({ links }: DecidedSync): boolean {
  return links.ended.length > 0 || links.begun.length > 0;
}

/** What an installation is as a holder; null when it holds no token. */
export function toHolder({ ref, token, links }: Installation): Holder | null {
  if (token === null) return null;
  const bindings = links.map(({ assertedAt, linkedAt }) => (assertedAt ?? linkedAt).getTime());
  const boundAt = new Date(Math.max(token.changedAt.getTime(), ...bindings));
  return { ref, boundAt };
}

function ordersOf(
  installation: Installation,
  packet: SyncPacket,
): Partial<Record<FieldGroup, Order>> {
  const orders: Partial<Record<FieldGroup, Order>> = {};
  for (const group of ['token', 'user', 'device'] as const) {
    const part = packet[group];
    if (part !== undefined) {
      orders[group] = orderOf(installation.marks[group], packet.seq, part.hash);
    }
  }
  return orders;
}

/**
 * A check-in repeats the last packet: it confirms a token that is still the installation's, and
 * brings back one that the provider's word took away.
 */
function doesTokenAct(
  installation: Installation,
  packet: SyncPacket,
  order: Order | undefined,
): boolean {
  if (order !== 'replay') return order === 'newer';
  const claim = packet.token?.claim ?? null;
  const held = installation.token;
  const isHeld =
    held !== null && claim !== null && (held.key.equals(claim.key) || isCorrected(held, claim));
  return isHeld || isPutAside(held);
}

/** The provider said that the token is dead or belongs elsewhere. */
export function isPutAside(token: HeldToken | null): boolean {
  return token?.status === 'retired' || token?.status === 'quarantined';
}

/**
 * Whether two tokens take turns: the one that is held was there before the one that it replaced,
 * and that one is claimed again. No provider takes a token back and gives it out again like that,
 * so two copies of the installation are alive, although their sequences never met. The first return
 * is let through: a device whose state was restored looks the same. Whoever is refused without
 * being a copy enrols anew and has lost nothing.
 */
function alternates(
  { token: held }: Installation,
  { seq, token }: SyncPacket,
  order: Order | undefined,
): boolean {
  const claim = token?.claim ?? null;
  if (seq === null || order !== 'newer' || claim === null || held === null) return false;
  return held.isReturned && held.formerKey?.equals(claim.key) === true;
}

/**
 * Rule R3. Late packets of dead installs have neither a newer assertion nor the nonce; an assertion
 * that comes with a superseded user is of the past, whatever its time says.
 */
function mayTakeOver(holder: Holder, packet: SyncPacket, userOrder: Order | undefined): boolean {
  if (packet.takeoverBy === 'word' || packet.takeoverEchoed) return true;
  if (packet.takeoverBy === 'challenge') return false;
  if (packet.user === undefined || userOrder === 'superseded') return false;
  const boundAt = wholeSeconds(holder.boundAt);
  return packet.user.named.some(
    ({ proof }) => proof.kind === 'proven' && wholeSeconds(proof.issuedAt) > boundAt,
  );
}

/** Assertions carry whole seconds; an equal second proves no order and takes the nonce. */
export function wholeSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}

function tokenChange(
  installation: Installation,
  claim: TokenClaim | null,
  holder: Holder | null,
  packet: SyncPacket,
): TokenChange | null {
  const held = installation.token;
  const recentMoves = packet.recentMoves + (holder === null ? 0 : 1);
  const isContested = recentMoves > LIMITS.undisputedMoves && !isShownToReach(packet, holder);
  if (claim === null) return held === null ? null : { kind: 'clear' };
  if (held !== null && held.key.equals(claim.key)) {
    // A retired token has left the unique index, so somebody else may hold the address by now.
    if (held.status !== 'retired') {
      const settlesDispute = held.status === 'contested' && packet.takeoverEchoed;
      const goesOn = isPutAside(held) && isContested;
      return { kind: 'confirm', claim, settlesDispute, isContested: goesOn };
    }
  }
  if (held !== null && holder === null && isCorrected(held, claim)) {
    return { kind: 'confirm', claim: held, settlesDispute: false, isContested: false };
  }
  return { kind: 'hold', claim, displaced: holder, recentMoves, isContested };
}

/**
 * A subscription stays bound to the key that it was made with, whichever is the app's newest when
 * its browser reports it again without naming one.
 */
function withKnownKey(claim: TokenClaim | null, held: HeldToken | null): TokenClaim | null {
  if (claim?.assumesKey !== true || held?.key.equals(claim.key) !== true) return claim;
  const { address } = claim;
  if (address.provider !== 'webpush' || held.address.provider !== 'webpush') return claim;
  const { vapidKeyId } = held.address;
  return vapidKeyId === null ? claim : { ...claim, address: { ...address, vapidKeyId } };
}

/** A nonce comes in an answer only to who takes a token over; all others come through the token. */
function isShownToReach(
  { takeoverBy, takeoverEchoed }: SyncPacket,
  holder: Holder | null,
): boolean {
  return takeoverEchoed && (holder === null || takeoverBy === 'challenge');
}

/**
 * Whether a device claims its token in the environment in which the provider refused it. A probe
 * has found the right one, and an app that does not know its own goes on naming the wrong one.
 */
function isCorrected({ status, statusCode, address: held }: HeldToken, claim: TokenClaim): boolean {
  const { address } = claim;
  if (status !== 'live' || statusCode !== OTHER_ENVIRONMENT) return false;
  if (held.provider !== 'apns' || address.provider !== 'apns') return false;
  return held.token === address.token && held.topic === address.topic;
}

/**
 * What becomes of the links. Who is signed in already needs no proof, and a bad one does no harm;
 * others need a good one. Whoever is not named goes, also when the proof of the newcomer is bad
 * (rule R6): somebody else is at the device, so the old owner must not get another push on it.
 *
 * A proof that this installation used before is of the past: it signs nobody in, and it does not
 * tell that somebody else is at the device. In an exclusive app whoever is signed in stays, because
 * another one was only not named for the sake of a page that remembers a former login.
 *
 * A repetition ends nothing, because what happened since counts; but a user whom it names, and who
 * is not signed in, is judged again, so that a refused login stays refused until a good proof
 * comes. A word without a time never is one: nothing tells when it was said, and it must not undo
 * what came since.
 */
function linkChanges(
  installation: Installation,
  packet: SyncPacket,
  order: Order | undefined,
): LinkChanges {
  const named = packet.user?.named ?? [];
  const isExclusive = packet.accountMode === 'exclusive';
  const endedBy = isExclusive && named.length > 0 ? 'switched' : 'logout';
  const none = { ended: [], endedBy, begun: [], refused: [] } as const;
  if (packet.user === undefined || (order !== 'newer' && order !== 'replay')) return none;

  const { links } = installation;
  const newcomers = named.filter((user) => !links.some(({ userRef }) => userRef === user.userRef));
  const begun = newcomers.flatMap((user) => toNewLink(user, order));
  const refused = newcomers.flatMap((user) => toRefusedUser(user, order));
  const isOfThePast = newcomers.some(({ proof }) => proof.kind === 'refused' && proof.isPast);
  // Without a sequence nothing else tells that the packet itself is of the past.
  const isOld = isOfThePast && (isExclusive || packet.seq === null);
  const isNews = order === 'newer' && !isOld;
  const leaves = isNews || (isExclusive && begun.length > 0);
  const ended = leaves
    ? links.filter((link) => !named.some(({ userRef }) => userRef === link.userRef))
    : [];
  return { ended, endedBy, begun, refused };
}

function toNewLink(user: NamedUser, order: 'newer' | 'replay'): readonly NewLink[] {
  const { proof } = user;
  if (refusalOf(proof, order) !== null) return [];
  return [{ user, assertedAt: proof.kind === 'proven' ? proof.issuedAt : null }];
}

function toRefusedUser(
  { id, proof }: NamedUser,
  order: 'newer' | 'replay',
): readonly RefusedUser[] {
  const why = refusalOf(proof, order);
  return why === null ? [] : [{ userId: id, why }];
}

/** Why a newcomer is not signed in; null when the proof is good. */
function refusalOf(proof: Proof, order: 'newer' | 'replay'): string | null {
  switch (proof.kind) {
    case 'refused':
      return proof.why;
    case 'trusted':
    case 'claimed':
      return order === 'newer' ? null : 'a repetition signs in by an assertion only; raise "seq"';
    case 'proven':
      return null;
  }
}
