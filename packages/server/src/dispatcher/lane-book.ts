import { LIMITS } from '../domain/limits.ts';
import type { OpenProvider } from '../providers/provider.ts';
import { credentialRevisions } from '../store/credentials.ts';
import type { Database } from '../store/sql.ts';
import { Lane } from './lane.ts';
import type { RateLimiters } from './rate-limiters.ts';
import type { LaneObserver } from './stop-report.ts';

/** A credential opened as it was at one of its revisions. */
export type OpenedCredential = OpenProvider & { readonly revision: number };

/** Opens the provider of a credential, null when it was retired; throws when it does not open. */
export type OpenLane = (credentialRef: number) => Promise<OpenedCredential | null>;

/** A lane that stays open until its user is done with it. */
export interface LaneUse extends Disposable {
  readonly lane: Lane;
}

export interface LaneBookOptions {
  readonly db: Database;
  readonly openLane: OpenLane;
  readonly laneObserver: LaneObserver;
  readonly random: () => number;
  readonly limiters: RateLimiters;
}

interface OpenedLane {
  readonly lane: Lane;
  readonly revision: number;
  users: number;
  /** Another one is opened for whoever comes next. */
  isOutdated: boolean;
}

/**
 * The lanes of this worker, opened when first needed. One whose credential was changed or retired
 * is left to those who use it, and closed after the last of them.
 */
export class LaneBook implements AsyncDisposable {
  readonly #options: LaneBookOptions;
  readonly #lanes = new Map<number, Promise<OpenedLane | null>>();
  readonly #opened = new Set<OpenedLane>();
  #reviewedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LaneBookOptions) {
    this.#options = options;
  }

  /** Null when the credential was retired. */
  async open(credentialRef: number): Promise<LaneUse | null> {
    for (;;) {
      const opened = await (this.#lanes.get(credentialRef) ?? this.#open(credentialRef));
      if (opened === null) return null;
      // A review may have come between; nobody else does before this one is counted.
      if (opened.isOutdated) continue;
      opened.users += 1;
      return { lane: opened.lane, [Symbol.dispose]: () => void (opened.users -= 1) };
    }
  }

  /** The credentials whose chunks are not worth a lease at the moment. */
  leftAlone(now: Date): readonly number[] {
    return [...this.#opened]
      .filter(({ lane, isOutdated }) => !isOutdated && lane.isLeftAlone(now))
      .map(({ lane }) => lane.credentialRef);
  }

  /** Now and then finds out which credentials were changed or retired, and follows. */
  async review(now: Date): Promise<void> {
    if (now.getTime() - this.#reviewedAt < LIMITS.laneReviewMs) return;
    this.#reviewedAt = now.getTime();
    const opened = [...this.#opened];
    if (opened.length === 0) return;
    const refs = opened.map(({ lane }) => lane.credentialRef);
    const revisions = await credentialRevisions(this.#options.db, refs);
    for (const one of opened) {
      const ref = one.lane.credentialRef;
      if (!one.isOutdated && revisions.get(ref) !== one.revision) {
        one.isOutdated = true;
        this.#lanes.delete(ref);
      }
    }
    await Promise.all(opened.filter(isDone).map((one) => this.#close(one)));
  }

  #open(credentialRef: number): Promise<OpenedLane | null> {
    const opening = this.#openNow(credentialRef);
    this.#lanes.set(credentialRef, opening);
    const forget = (): void => void this.#lanes.delete(credentialRef);
    // A failure is not kept: the credential may be mended meanwhile.
    opening.then((opened) => opened ?? forget(), forget);
    return opening;
  }

  async #openNow(credentialRef: number): Promise<OpenedLane | null> {
    const { openLane, laneObserver: observer, random, limiters } = this.#options;
    const open = await openLane(credentialRef);
    if (open === null) return null;
    const limiter = open.bucket === null ? null : limiters.of(open.bucket);
    const lane = new Lane(credentialRef, open, { observer, random, limiter });
    const opened = { lane, revision: open.revision, users: 0, isOutdated: false };
    this.#opened.add(opened);
    return opened;
  }

  async #close(opened: OpenedLane): Promise<void> {
    this.#opened.delete(opened);
    await opened.lane.provider[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#lanes.values());
    await Promise.all([...this.#opened].map((opened) => this.#close(opened)));
  }
}

function isDone({ isOutdated, users }: OpenedLane): boolean {
  return isOutdated && users === 0;
}
