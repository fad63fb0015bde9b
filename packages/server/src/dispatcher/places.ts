import type { Lane as LaneName } from '../domain/notification.ts';
import type { LeasedChunk } from '../store/chunks.ts';
import type { Crowded } from '../store/leases.ts';

/**
 * How many chunks are worked on at once, beside those that wait for tokens or room; transactional
 * ones have places that bulk cannot take. One credential gets no more than half of the places that
 * others leave, and half of the free ones at a time: one whose provider takes everything and
 * answers nothing never holds them all.
 *
 * Chunks of single sends are small, and the more of them are there, the more share their rounds:
 * of 500 a second 99 of 100 were at the provider within 3.1 s with 32 places, 0.13 s with 256.
 */
const PLACES: Readonly<Record<LaneName, number>> = { transactional: 256, bulk: 8 };
/** How many one worker holds, those that wait for tokens or room included. */
const HELD: Readonly<Record<LaneName, number>> = { transactional: 512, bulk: 64 };
/** Where so many chunks wait for the same thing, another one would only wait as well. */
const CROWD = 2;

/** A chunk that this worker holds. */
export interface PlacedChunk {
  readonly chunk: LeasedChunk;
  /** Null while it is prepared, and for one that is only resolved. */
  readonly run: { readonly isWaiting: boolean } | null;
}

/** What is not worth a lease at the moment, whatever place is free. */
export interface LeftAlone {
  readonly notifications: readonly number[];
  readonly credentials: readonly number[];
}

/** What a worker may lease of one lane. */
export interface Vacancies {
  /** Nothing more of these but what dead workers left. */
  readonly crowded: Crowded;
  /**
   * Of what dead workers left of a crowd. It would only wait, so that it takes no place, and its
   * credential may have its share of them already.
   */
  readonly lapsed: Vacancy;
  /** Of all that is next in line. */
  readonly next: Vacancy;
  /** Whether there are places for all: what was not leased yet, only waited for this worker. */
  readonly isOpen: boolean;
}

interface Vacancy {
  readonly limit: number;
  /** Credentials of which nothing is leased. */
  readonly without: readonly number[];
}

/** What a worker may lease of a lane that holds these chunks of it. */
export function vacancies(
  lane: LaneName,
  held: readonly PlacedChunk[],
  leftAlone: LeftAlone,
): Vacancies {
  const waiting = held.filter(({ run }) => run?.isWaiting === true);
  const busy = held.filter(({ run }) => run?.isWaiting !== true);
  const paced = crowdsBy(waiting, ({ notificationRef }) => notificationRef);
  const credentials = crowdsBy(waiting, ({ credentialRef }) => credentialRef);
  const crowded = { notifications: [...paced, ...leftAlone.notifications], credentials };
  const isCrowd = crowded.notifications.length + credentials.length > 0;
  const full = sated(busy, PLACES[lane]);
  const room = HELD[lane] - held.length;
  const free = Math.min(PLACES[lane] - busy.length, room);
  return {
    crowded,
    lapsed: {
      limit: isCrowd ? Math.min(PLACES[lane], Math.floor(room / 2)) : 0,
      without: leftAlone.credentials,
    },
    next: {
      limit: Math.ceil(free / 2),
      without: [...full, ...leftAlone.credentials],
    },
    isOpen: paced.length + credentials.length + full.length === 0 && 2 * free >= PLACES[lane],
  };
}

/** What several chunks wait for already: a notification its tokens, a credential tokens or room. */
function crowdsBy(
  waiting: readonly PlacedChunk[],
  what: (chunk: LeasedChunk) => number | null,
): readonly number[] {
  const groups = Map.groupBy(waiting, ({ chunk }) => what(chunk));
  return [...groups].flatMap(([ref, { length }]) => (ref !== null && length >= CROWD ? [ref] : []));
}

/** The credentials that have their share of the places. */
function sated(busy: readonly PlacedChunk[], places: number): readonly number[] {
  const groups = Map.groupBy(busy, ({ chunk }) => chunk.credentialRef);
  return [...groups].flatMap(([ref, { length }]) => {
    const left = places - (busy.length - length);
    return ref !== null && length >= left / 2 ? [ref] : [];
  });
}
