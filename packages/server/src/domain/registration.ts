import type { Address } from './address.ts';
import type { DeviceFacts, Installation, Permission } from './installation.ts';
import { orderOf, type FieldGroup, type Order } from './ordering.ts';

/**
 * The registry's one decision: what a registration packet changes. Pure, so that every race can be
 * replayed as data; `registry/sync-installation.ts` reads the rows under lock, calls this, and
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
  readonly user?: { readonly named: NamedUser | null; readonly hash: Buffer };
  readonly device?: { readonly patch: DevicePatch; readonly hash: Buffer };
  /** True when the packet echoes a nonce that was issued for exactly this takeover. */
  readonly takeoverEchoed: boolean;
}

export interface TokenClaim {
  readonly address: Address;
  readonly key: Buffer;
}

/** The user that a packet names, with what its proof was worth. */
export interface NamedUser {
  /** Null for somebody whom the app does not know: whoever is attached is made known with that. */
  readonly userRef: number | null;
  readonly proof: Proof;
}

export type Proof =
  | { readonly kind: 'proven'; readonly issuedAt: Date; readonly jti: string | null }
  | { readonly kind: 'trusted' }
  | { readonly kind: 'refused'; readonly why: string };

export interface DevicePatch {
  readonly permission?: Permission | null;
  readonly facts: Partial<DeviceFacts>;
  readonly tags?: Readonly<Record<string, string>> | null;
  readonly deviceTags?: Readonly<Record<string, string>> | null;
  /** The device's own clock, kept for support and never used for order. */
  readonly clientTime?: Date;
}

/** The other installation that holds the claimed address, if any. */
export interface Holder {
  readonly ref: number;
  readonly userRef: number | null;
  /** When its link was asserted or made, or when it came to hold the token, whichever is later. */
  readonly boundAt: Date;
}

export type LinkChange =
  | {
      readonly kind: 'attach';
      readonly jti: string | null;
      readonly assertedAt: Date | null;
    }
  | { readonly kind: 'detach'; readonly endedBy: 'logout' | 'switched' };

export type TokenChange =
  | { readonly kind: 'hold'; readonly claim: TokenClaim; readonly displaced: Holder | null }
  /** The same address; what is not part of its key, such as a browser's keys, may have changed. */
  | { readonly kind: 'confirm'; readonly claim: TokenClaim }
  | { readonly kind: 'clear' };

export type SyncDecision =
  | { readonly kind: 'forked' }
  | { readonly kind: 'token_held'; readonly holder: Holder }
  | {
      readonly kind: 'decided';
      readonly orders: Partial<Readonly<Record<FieldGroup, Order>>>;
      readonly token: TokenChange | null;
      readonly link: LinkChange | null;
      readonly device: DevicePatch | null;
      /** Why the user half was refused although the rest applies; null when it was not. */
      readonly refusedProof: string | null;
    };

export type DecidedSync = Extract<SyncDecision, { readonly kind: 'decided' }>;

export function decideSync(
  installation: Installation,
  holder: Holder | null,
  packet: SyncPacket,
): SyncDecision {
  const orders = ordersOf(installation, packet);
  if (Object.values(orders).includes('forked')) return { kind: 'forked' };

  const tokenActs = doesTokenAct(installation, packet, orders.token);
  const claimed = tokenActs ? (packet.token?.claim ?? null) : null;
  if (claimed !== null && holder !== null && !mayTakeOver(holder, packet, orders.user)) {
    return { kind: 'token_held', holder };
  }
  const token = tokenActs ? tokenChange(installation, claimed, holder) : null;
  const device = orders.device === 'newer' ? (packet.device?.patch ?? null) : null;
  const { link, refusedProof } = linkChange(installation, packet, orders.user);
  return { kind: 'decided', orders, token, link, device, refusedProof };
}

/**
 * Whether a decision has to be written at once. What is left are repetitions, which cost no row
 * until the last contact is a while ago.
 */
export function isUrgent(installation: Installation, decided: DecidedSync): boolean {
  if (Object.values(decided.orders).includes('newer') || decided.link !== null) return true;
  if (installation.dormantSince !== null) return true;
  return decided.token?.kind === 'confirm' ? isPutAside(installation) : decided.token !== null;
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
  const isHeld = claim !== null && installation.token?.key.equals(claim.key) === true;
  return isHeld || isPutAside(installation);
}

/** The provider said that the token is dead or belongs elsewhere. */
function isPutAside({ token }: Installation): boolean {
  return token?.status === 'retired' || token?.status === 'quarantined';
}

/**
 * Rule R3. Late packets of dead installs have neither a newer assertion nor the nonce; an assertion
 * that comes with a superseded user is of the past, whatever its time says.
 */
function mayTakeOver(holder: Holder, packet: SyncPacket, userOrder: Order | undefined): boolean {
  if (packet.seq === null || packet.takeoverEchoed) return true;
  const proof = packet.user?.named?.proof;
  if (proof?.kind !== 'proven' || userOrder === 'superseded') return false;
  return wholeSeconds(proof.issuedAt) > wholeSeconds(holder.boundAt);
}

/** Assertions carry whole seconds; an equal second proves no order and takes the nonce. */
export function wholeSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}

function tokenChange(
  installation: Installation,
  claim: TokenClaim | null,
  holder: Holder | null,
): TokenChange | null {
  const held = installation.token;
  if (claim === null) return held === null ? null : { kind: 'clear' };
  if (held !== null && held.key.equals(claim.key)) {
    // A retired token has left the unique index, so somebody else may hold the address by now.
    if (held.status !== 'retired') return { kind: 'confirm', claim };
  }
  return { kind: 'hold', claim, displaced: holder };
}

interface UserVerdict {
  readonly link: LinkChange | null;
  readonly refusedProof: string | null;
}

const NO_LINK_CHANGE: UserVerdict = { link: null, refusedProof: null };

/**
 * What becomes of the link. A repetition ends nothing, because what happened since counts; but one
 * that names somebody who is not linked is judged by its proof again, so that a refused login stays
 * refused until a good proof comes.
 */
function linkChange(
  installation: Installation,
  packet: SyncPacket,
  order: Order | undefined,
): UserVerdict {
  if (packet.user === undefined || (order !== 'newer' && order !== 'replay')) return NO_LINK_CHANGE;
  const { named } = packet.user;
  const linked = installation.link;
  const ended = (endedBy: 'logout' | 'switched'): LinkChange | null =>
    order === 'replay' || linked === null ? null : { kind: 'detach', endedBy };
  if (named === null) return { link: ended('logout'), refusedProof: null };
  // Who is linked already needs no proof, and none is looked at.
  if (linked !== null && named.userRef === linked.userRef) return NO_LINK_CHANGE;
  const { proof } = named;
  switch (proof.kind) {
    case 'refused':
      // Rule R6: somebody else is at the device, so the old owner must not get another push on it.
      return { link: ended('switched'), refusedProof: proof.why };
    case 'trusted':
      // Nothing tells when it was said, so it must not undo what happened since.
      if (order === 'replay') return NO_LINK_CHANGE;
      return { link: { kind: 'attach', jti: null, assertedAt: null }, refusedProof: null };
    case 'proven': {
      const { jti, issuedAt } = proof;
      return { link: { kind: 'attach', jti, assertedAt: issuedAt }, refusedProof: null };
    }
  }
}
