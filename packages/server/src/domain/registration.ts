import { tokenFingerprint } from './address-key.ts';
import type { Address } from './address.ts';
import type { EventDraft } from './event.ts';
import type { DeviceFacts, HeldToken, Installation, Permission } from './installation.ts';
import { orderOf, type FieldGroup, type Order } from './ordering.ts';

/**
 * The registry's one decision: what a registration packet changes. Pure, so that every race can be
 * replayed as data; `registry/sync-installation.ts` reads the rows under lock, calls this, and
 * writes what it says.
 *
 * A packet names any of the groups token, user and device. Each group is ordered on its own:
 *   superseded → ignored, whatever it proves;  replay → same answer, no effect;
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
  /** Null while the proof was refused and the user therefore was not looked up or made. */
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
  /** When its link was asserted or made; without a link, when it came to hold the token. */
  readonly boundAt: Date;
}

export type LinkChange =
  | {
      readonly kind: 'attach';
      readonly userRef: number;
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
      readonly events: readonly EventDraft[];
      /** Why the user half was refused although the rest applies; null when it was not. */
      readonly refusedProof: string | null;
    };

export function decideSync(
  installation: Installation,
  holder: Holder | null,
  packet: SyncPacket,
): SyncDecision {
  const orders = ordersOf(installation, packet);
  if (Object.values(orders).includes('forked')) return { kind: 'forked' };

  const tokenActs = orders.token === 'newer' || isRestoringCheckIn(installation, orders.token);
  const claimed = tokenActs ? (packet.token?.claim ?? null) : null;
  if (claimed !== null && holder !== null && !mayTakeOver(holder, packet)) {
    return { kind: 'token_held', holder };
  }
  const token = tokenActs ? tokenChange(installation, claimed, holder) : null;
  const { link, refusedProof } =
    orders.user === 'newer' ? linkChange(installation, packet) : NO_LINK_CHANGE;
  const device = orders.device === 'newer' ? (packet.device?.patch ?? null) : null;
  const events = [
    ...tokenEvents(installation, token, packet.seq),
    ...linkEvents(installation, link, packet.seq, refusedProof),
    ...deviceEvents(installation, device, packet.seq),
    ...supersededEvents(installation, orders, packet.seq),
  ];
  return { kind: 'decided', orders, token, link, device, events, refusedProof };
}

const NO_LINK_CHANGE = { link: null, refusedProof: null } as const;

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
 * A check-in repeats the last packet; it acts only when the provider's word took the token away.
 */
function isRestoringCheckIn(installation: Installation, order: Order | undefined): boolean {
  const status = installation.token?.status;
  return order === 'replay' && (status === 'retired' || status === 'quarantined');
}

/** Rule R3. Late packets of dead installs have neither a newer assertion nor the nonce. */
function mayTakeOver(holder: Holder, packet: SyncPacket): boolean {
  if (packet.seq === null || packet.takeoverEchoed) return true;
  const proof = packet.user?.named?.proof;
  return proof?.kind === 'proven' && wholeSeconds(proof.issuedAt) > wholeSeconds(holder.boundAt);
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

function linkChange(
  installation: Installation,
  packet: SyncPacket,
): { readonly link: LinkChange | null; readonly refusedProof: string | null } {
  const named = packet.user?.named ?? null;
  const linked = installation.link;
  if (named === null) {
    return {
      link: linked === null ? null : { kind: 'detach', endedBy: 'logout' },
      refusedProof: null,
    };
  }
  // Who is linked already needs no proof, and none is looked at.
  if (linked !== null && named.userRef === linked.userRef) return NO_LINK_CHANGE;
  if (named.proof.kind === 'refused' || named.userRef === null) {
    // Rule R6: somebody else is at the device, so the old owner must not get another push on it.
    const why = named.proof.kind === 'refused' ? named.proof.why : 'the user is unknown';
    return {
      link: linked === null ? null : { kind: 'detach', endedBy: 'switched' },
      refusedProof: why,
    };
  }
  const { proof } = named;
  return {
    link: {
      kind: 'attach',
      userRef: named.userRef,
      jti: proof.kind === 'proven' ? proof.jti : null,
      assertedAt: proof.kind === 'proven' ? proof.issuedAt : null,
    },
    refusedProof: null,
  };
}

function tokenEvents(
  installation: Installation,
  change: TokenChange | null,
  seq: number | null,
): readonly EventDraft[] {
  const held = installation.token;
  const base = { installationRef: installation.ref, seq } as const;
  switch (change?.kind) {
    case undefined:
      return [];
    case 'clear':
      return [{ ...base, kind: 'token.retired', oldToken: fingerprint(held), cause: 'cleared' }];
    case 'confirm':
      if (held === null || held.status === 'live') return [];
      return [{ ...base, kind: 'token.restored', newToken: fingerprint(held), cause: 'check_in' }];
    case 'hold': {
      const newToken = tokenFingerprint(change.claim.address.token);
      const moved: EventDraft[] =
        change.displaced === null
          ? []
          : [{ installationRef: change.displaced.ref, kind: 'token.moved', oldToken: newToken }];
      return [...moved, { ...base, ...heldEvent(held, change.claim), newToken }];
    }
  }
}

function heldEvent(
  held: HeldToken | null,
  claim: TokenClaim,
): Pick<EventDraft, 'kind' | 'oldToken'> {
  if (held === null) return { kind: 'token.attached' };
  if (held.key.equals(claim.key)) return { kind: 'token.restored' };
  return { kind: 'token.refreshed', oldToken: fingerprint(held) };
}

function fingerprint(held: HeldToken | null): string | null {
  return held === null ? null : tokenFingerprint(held.address.token);
}

function linkEvents(
  installation: Installation,
  change: LinkChange | null,
  seq: number | null,
  refusedProof: string | null,
): readonly EventDraft[] {
  const base = { installationRef: installation.ref, seq } as const;
  const events: EventDraft[] = [];
  if (change !== null && installation.link !== null) {
    const cause = change.kind === 'detach' ? change.endedBy : 'switched';
    events.push({ ...base, kind: 'user.detached', userRef: installation.link.userRef, cause });
  }
  if (change?.kind === 'attach') {
    events.push({ ...base, kind: 'user.attached', userRef: change.userRef });
  }
  if (refusedProof !== null) {
    events.push({ ...base, kind: 'registration.refused', cause: refusedProof });
  }
  return events;
}

function deviceEvents(
  installation: Installation,
  patch: DevicePatch | null,
  seq: number | null,
): readonly EventDraft[] {
  if (patch === null) return [];
  const base = { installationRef: installation.ref, seq } as const;
  const events: EventDraft[] = [];
  const permission = patch.permission;
  if (permission !== undefined && permission !== installation.permission) {
    events.push({ ...base, kind: 'permission.changed', cause: permission ?? 'cleared' });
  }
  const version = patch.facts.appVersion;
  const known = installation.device.appVersion;
  if (version !== undefined && version !== null && known !== null && version !== known) {
    events.push({ ...base, kind: 'installation.updated', cause: `app version ${version}` });
  }
  return events;
}

function supersededEvents(
  installation: Installation,
  orders: Partial<Readonly<Record<FieldGroup, Order>>>,
  seq: number | null,
): readonly EventDraft[] {
  const groups = Object.entries(orders).filter(([, order]) => order === 'superseded');
  if (groups.length === 0) return [];
  const cause = groups.map(([group]) => group).join(', ');
  return [{ installationRef: installation.ref, kind: 'registration.superseded', seq, cause }];
}
