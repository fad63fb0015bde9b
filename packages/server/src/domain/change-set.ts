import type { AlertDraft, AlertSubject } from './alert.ts';
import type { Challenge } from './challenge.ts';
import type { EventDraft } from './event.ts';
import type { Installation, OpenLink } from './installation.ts';

/**
 * What a write of the registry changes, as data: made by pure functions from rows that are held
 * under lock, written by `store/change-set.ts` in a constant number of statements, however many
 * change sets there are.
 */
export interface ChangeSet {
  /**
   * Installations that let go of their address, as they are then. Written before all others: in one
   * statement the unique index would see the loser and the winner hold one address.
   */
  readonly released: readonly Installation[];
  /** Installations as they are from now on, each at most once. */
  readonly saved: readonly Installation[];
  readonly endedLinks: readonly EndedLink[];
  readonly begunLinks: readonly BegunLink[];
  /** Links that stay, with another addressee tag. */
  readonly taggedLinks: readonly TaggedLink[];
  readonly usedProofs: readonly UsedProof[];
  /** Installations that lose what other tables keep for them: topics, purpose tokens. */
  readonly emptiedRefs: readonly number[];
  /** Addresses that went from one installation to another. */
  readonly moves: readonly AddressMove[];
  /** The keys of addresses whose dispute was settled: their moves so far count no more. */
  readonly settledKeys: readonly Buffer[];
  readonly challenges: readonly Challenge[];
  readonly openedAlerts: readonly AlertDraft[];
  readonly closedAlerts: readonly AlertSubject[];
  /** Installations whose token may take what an earlier one could not. */
  readonly reofferedRefs: readonly number[];
  readonly events: readonly EventDraft[];
}

export type LinkEnd = 'logout' | 'switched' | 'revoked' | 'deleted' | 'removed' | 'superseded';

export interface EndedLink {
  readonly installationRef: number;
  readonly userRef: number;
  readonly at: Date;
  readonly endedBy: LinkEnd;
  readonly appVersion: string | null;
  /** None of those who were signed in stays, so that the purpose tokens end as well. */
  readonly isLast: boolean;
}

export interface BegunLink {
  readonly installationRef: number;
  readonly exclusive: boolean;
  readonly link: OpenLink;
}

export interface TaggedLink {
  readonly installationRef: number;
  readonly userRef: number;
  readonly rcpt: string | null;
}

/** An assertion serves once. */
export interface UsedProof {
  readonly jti: string;
  readonly installationRef: number;
  readonly at: Date;
}

export interface AddressMove {
  readonly key: Buffer;
  readonly at: Date;
}

export const NO_CHANGES: ChangeSet = {
  released: [],
  saved: [],
  endedLinks: [],
  begunLinks: [],
  taggedLinks: [],
  usedProofs: [],
  emptiedRefs: [],
  moves: [],
  settledKeys: [],
  challenges: [],
  openedAlerts: [],
  closedAlerts: [],
  reofferedRefs: [],
  events: [],
};
