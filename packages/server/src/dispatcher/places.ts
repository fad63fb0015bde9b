import type { Lane as LaneName } from '../domain/notification.ts';
import type { LeasedChunk } from '../store/chunks.ts';
import type { LeaseRequest } from '../store/leases.ts';
import type { AwaitedThing } from './permit.ts';

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
/**
 * How many one worker holds, those that wait for tokens or room included. Where half of them wait,
 * nothing more is leased that would only wait, so that the rest is there for whoever need not.
 */
const HELD: Readonly<Record<LaneName, number>> = { transactional: 512, bulk: 64 };
/** Where so many chunks wait for the same thing, another one would only wait as well. */
const CROWD = 2;

/** A chunk that this worker holds. */
export interface PlacedChunk {
  readonly chunk: LeasedChunk;
  /** Null while it is prepared, and for one that is only resolved. */
  readonly run: { readonly waitsFor: AwaitedThing | null } | null;
}

/** What is not worth a lease at the moment, whatever place is free. */
export interface LeftAlone {
  readonly notifications: readonly number[];
  readonly credentials: readonly number[];
}

/** What a worker may lease of one lane. */
export interface Vacancies {
  /** Of what dead workers left, and what would only wait here: it takes no place. */
  readonly lapsed: Vacancy;
  /** Of all that is next in line, and need not wait for what others wait for. */
  readonly next: Vacancy;
}

type Vacancy = Pick<LeaseRequest, 'limit' | 'without' | 'crowded' | 'paced'>;

/** What a worker may lease of a lane that holds these chunks of it. */
export function vacancies(
  lane: LaneName,
  all: readonly PlacedChunk[],
  leftAlone: LeftAlone,
): Vacancies {
  const {
    pace = [],
    lane: room = [],
    none: busy = [],
  } = Object.groupBy(all, ({ run }) => run?.waitsFor ?? 'none');
  const paced = crowds(pace.map(({ chunk }) => chunk.notificationRef));
  const full = sated(busy, PLACES[lane]);
  const limited = crowds(room.map(({ chunk }) => chunk.credentialRef));
  const notifications = [...paced, ...leftAlone.notifications];
  const credentials = limited.filter((ref) => !full.includes(ref));
  const isCrowd = notifications.length + credentials.length > 0;
  const left = HELD[lane] - all.length;
  const toWait = HELD[lane] / 2 - pace.length - room.length;
  const free = Math.min(PLACES[lane] - busy.length, left);
  return {
    lapsed: {
      limit: isCrowd ? Math.min(PLACES[lane], toWait, Math.floor(left / 2)) : 0,
      without: leftAlone.credentials,
      crowded: { notifications, credentials },
      paced: true,
    },
    next: {
      limit: Math.ceil(free / 2),
      without: [...full, ...leftAlone.credentials],
      crowded: { notifications, credentials: limited },
      paced: toWait > 0,
    },
  };
}

/** What is there several times. */
function crowds(refs: readonly (number | null)[]): readonly number[] {
  const groups = Map.groupBy(refs, (ref) => ref);
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
