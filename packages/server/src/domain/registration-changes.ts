import assert from 'node:assert';
import { addresseeTag } from './addressee-tag.ts';
import {
  NO_CHANGES,
  type BegunLink,
  type ChangeSet,
  type TaggedLink,
  type UsedProof,
} from './change-set.ts';
import type { DeviceFacts, HeldToken, Installation, OpenLink } from './installation.ts';
import { disputeChanges } from './dispute.ts';
import { toEndedLinks, withoutLinks } from './link-end.ts';
import { latest } from './latest.ts';
import type { FieldGroup, GroupMark } from './ordering.ts';
import { registrationEvents } from './registration-events.ts';
import { isLeftBehind, succession } from './reinstall.ts';
import {
  changesLinks,
  isPutAside,
  type DecidedSync,
  type DevicePatch,
  type SyncPacket,
  type TokenChange,
  type TokenClaim,
} from './registration.ts';

/** A packet that was decided about, with what the decision was made on. */
export interface DecidedPacket {
  /** As it is held under lock. */
  readonly installation: Installation;
  /** Whoever holds the claimed address, as it is held under lock. */
  readonly holder: Installation | null;
  /** Those that may be what a reinstalled app left behind, as they are held under lock. */
  readonly predecessors: readonly Installation[];
  readonly packet: SyncPacket;
  readonly decided: DecidedSync;
  readonly at: Date;
  /** From now on an assertion has to be newer than this write. */
  readonly outdatesAssertions: boolean;
}

/**
 * What a decided packet changes: the next state of the installation, and what goes with it. The
 * references are those of the users who are attached, by the customer's ids.
 */
export function registrationChanges(
  decidedPacket: DecidedPacket,
  userRefs: ReadonlyMap<string, number>,
): ChangeSet {
  const { installation, holder, packet, decided, at } = decidedPacket;
  const { ended, endedBy } = decided.links;
  const begun = begunLinks(decidedPacket, userRefs);
  const attachedRefs = begun.map(({ link }) => link.userRef);
  const displaced = decided.token?.kind === 'hold' ? decided.token.displaced : null;
  assert(displaced === null || displaced.ref === holder?.ref);
  const links = begun.map(({ link }) => link);
  const next = nextState(decidedPacket, links);
  const successions = predecessorsLeftBy(next, decidedPacket).map((old) =>
    succession(old, next, displaced?.ref === old.ref, at),
  );
  const left = successions.flatMap(({ released }) => released);
  // One that is left behind is released once, and has let go of the claimed address with that.
  const loser = displaced === null || left.some(({ ref }) => ref === displaced.ref) ? null : holder;
  const isMoved = decided.token?.kind === 'hold' && displaced !== null;
  return {
    ...NO_CHANGES,
    ...disputeChanges(installation, decided.token),
    moves: isMoved ? [{ key: decided.token.claim.key, at }] : [],
    released: [...left, ...(loser === null ? [] : [withoutAddress(loser, at)])],
    saved: [next],
    endedLinks: [
      ...toEndedLinks(installation, ended, endedBy, at),
      ...successions.flatMap(({ endedLinks }) => endedLinks),
    ],
    begunLinks: begun,
    usedProofs: usedProofs(decidedPacket),
    reofferedRefs: decided.token !== null && mayHaveMissed(installation) ? [installation.ref] : [],
    events: [
      ...successions.flatMap(({ events }) => events),
      ...registrationEvents(installation, decided, packet.seq, attachedRefs),
    ],
  };
}

/**
 * The assertions that are used up by a packet: all of a new one, also those of users who were
 * signed in already. One that stayed good because nobody needed it would sign in again after the
 * next logout. A repetition is one more look at the same packet and uses up only what signs in.
 */
function usedProofs({ installation, packet, decided, at }: DecidedPacket): readonly UsedProof[] {
  const isNew = decided.orders.user === 'newer';
  const users = isNew ? packet.user?.named : decided.links.begun.map(({ user }) => user);
  return (users ?? []).flatMap(({ proof }) =>
    proof.kind !== 'proven' || proof.jti === null
      ? []
      : [{ jti: proof.jti, installationRef: installation.ref, at }],
  );
}

/** Whether something may have failed because of the token; a first one has nothing to ask for. */
function mayHaveMissed({ token, failuresInARow }: Installation): boolean {
  return failuresInARow > 0 || isPutAside(token);
}

/** Asked when somebody signs in, and when the device says which one it is. */
function predecessorsLeftBy(
  next: Installation,
  { predecessors, decided }: DecidedPacket,
): readonly Installation[] {
  const isNews = decided.links.begun.length > 0 || decided.device !== null;
  return isNews ? predecessors.filter((old) => isLeftBehind(old, next)) : [];
}

/**
 * Gives an installation that a back end made to the client that has it: from now on its secret
 * opens it, and who is signed in gets the addressee tag that the device can compute.
 */
export function adoptedBy(installation: Installation, secretHash: Buffer): Installation {
  const links = installation.links.map((link) => ({
    ...link,
    rcpt: addresseeTag(secretHash, link.userId),
  }));
  return { ...installation, secretHash, links };
}

/** The links of an adopted installation, for their tags to be written. */
export function taggedLinks({ ref, links }: Installation): readonly TaggedLink[] {
  return links.map(({ userRef, rcpt }) => ({ installationRef: ref, userRef, rcpt }));
}

/**
 * An installation whose token went to another one. It keeps its links: a phone that really comes
 * back gets its pushes back.
 */
function withoutAddress(installation: Installation, at: Date): Installation {
  const holderVersion = installation.holderVersion + 1;
  return { ...installation, token: null, holderVersion, updatedAt: at };
}

function begunLinks(
  { installation, packet, decided, at }: DecidedPacket,
  userRefs: ReadonlyMap<string, number>,
): readonly BegunLink[] {
  return decided.links.begun.map(({ user, assertedAt }) => {
    const userRef = userRefs.get(user.id);
    assert(userRef !== undefined);
    const rcpt = addresseeTag(installation.secretHash, user.id);
    return {
      installationRef: installation.ref,
      exclusive: packet.accountMode === 'exclusive',
      link: { userRef, userId: user.id, linkedAt: at, assertedAt, rcpt },
    };
  });
}

function nextState(decidedPacket: DecidedPacket, begun: readonly OpenLink[]): Installation {
  const { installation, packet, decided, at } = decidedPacket;
  const remaining = withoutLinks(installation, decided.links.ended);
  const changesToken = decided.token?.kind === 'hold' || decided.token?.kind === 'clear';
  const changesHolder = changesToken || changesLinks(decided);
  return {
    ...remaining,
    ...afterDevice(remaining, decided.device),
    token: nextToken(installation.token, decided.token, at),
    links: [...remaining.links, ...begun],
    holderVersion: installation.holderVersion + (changesHolder ? 1 : 0),
    failuresInARow: decided.token?.kind === 'hold' ? 0 : installation.failuresInARow,
    serverWriteAt: decidedPacket.outdatesAssertions
      ? latest(installation.serverWriteAt, at)
      : installation.serverWriteAt,
    marks: nextMarks(installation.marks, packet, decided),
    namedSeq: nextNamedSeq(installation, packet, decided),
    dormantSince: null,
    updatedAt: latest(installation.updatedAt, at),
    lastSeenAt: latest(installation.lastSeenAt, at),
  };
}

function nextToken(held: HeldToken | null, change: TokenChange | null, at: Date): HeldToken | null {
  switch (change?.kind) {
    case undefined:
      return held;
    case 'clear':
      return null;
    case 'confirm': {
      assert(held !== null);
      const { address } = change.claim;
      // What is in use stays as it is, with the note that a probe has put its environment right.
      if (held.status === 'live' || (held.status === 'contested' && !change.settlesDispute)) {
        return { ...held, address, confirmedAt: at };
      }
      return { ...held, address, ...inUse(change, at), confirmedAt: at };
    }
    case 'hold': {
      const token = { ...change.claim, ...inUse(change, at), ...turnOf(held, change.claim) };
      return { ...token, confirmedAt: at, changedAt: at };
    }
  }
}

/** Of a token that is reported, or was put aside and is confirmed. */
function inUse(
  { isContested }: { readonly isContested: boolean },
  at: Date,
): Pick<HeldToken, 'status' | 'statusCode' | 'statusAt'> {
  return isContested
    ? { status: 'contested', statusCode: null, statusAt: at }
    : { status: 'live', statusCode: null, statusAt: null };
}

/** What a claimed token takes the place of, and whether it had been there before. */
function turnOf(
  held: HeldToken | null,
  { key }: TokenClaim,
): Pick<HeldToken, 'formerKey' | 'isReturned'> {
  if (held === null) return { formerKey: null, isReturned: false };
  if (held.key.equals(key)) return { formerKey: held.formerKey, isReturned: held.isReturned };
  return { formerKey: held.key, isReturned: held.formerKey?.equals(key) === true };
}

/** What the device group of a packet is about. */
type Reported = Pick<
  Installation,
  'permission' | 'tokenError' | 'device' | 'clientTime' | 'tags' | 'deviceTags'
>;

function afterDevice(installation: Installation, patch: DevicePatch | null): Reported {
  const { permission, tokenError, device, clientTime, tags, deviceTags } = installation;
  if (patch === null) return { permission, tokenError, device, clientTime, tags, deviceTags };
  const reported: DeviceFacts = { ...device, ...patch.facts };
  return {
    permission: patch.permission === undefined ? permission : patch.permission,
    tokenError: patch.tokenError === undefined ? tokenError : patch.tokenError,
    device: reported,
    clientTime: patch.clientTime ?? clientTime,
    tags: patch.tags === undefined ? tags : (patch.tags ?? {}),
    deviceTags: patch.deviceTags === undefined ? deviceTags : (patch.deviceTags ?? {}),
  };
}

/** A back end's word about the users comes after everything that arrived before it. */
function nextNamedSeq(
  { marks, namedSeq }: Installation,
  { seq }: SyncPacket,
  { orders }: DecidedSync,
): number | null {
  return orders.user === 'newer' ? (seq ?? marks.user.seq) : namedSeq;
}

/** A back end's write has no sequence and moves none. */
function nextMarks(
  marks: Installation['marks'],
  packet: SyncPacket,
  decided: DecidedSync,
): Readonly<Record<FieldGroup, GroupMark>> {
  const { seq } = packet;
  if (seq === null) return marks;
  const moved: Partial<Record<FieldGroup, GroupMark>> = {};
  for (const group of ['token', 'user', 'device'] as const) {
    const part = packet[group];
    if (part !== undefined && decided.orders[group] === 'newer') {
      moved[group] = { seq, hash: part.hash };
    }
  }
  return { ...marks, ...moved };
}
