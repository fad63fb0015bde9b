import { TIMED_PREFIX } from '../neutral/nginx.ts';
import type { Database } from '../../packages/server/src/store/sql.ts';
import { installationIdOf, userIdOf } from '../site/population.ts';
import { retoken, specialToken } from '../site/retoken.ts';

/** A user with one phone, whose pushes are timed. */
export interface TimedUser {
  readonly userId: string;
  /** The number of the phone in the population. */
  readonly number: number;
  readonly token: string;
}

/** The first phone of one user in five is reached by FCM, which sees no token in a path. */
const OF_FIVE = [0, 2, 3, 4];
const PHONES_PER_USER = 4;

/** The timed user of an index from 0. */
export function timedUser(index: number): TimedUser {
  const user = Math.floor(index / OF_FIVE.length) * 5 + (OF_FIVE[index % OF_FIVE.length] ?? 0);
  const number = user * PHONES_PER_USER;
  return { userId: userIdOf(number), number, token: specialToken(number, TIMED_PREFIX) };
}

/** How many installations a population needs for so many timed users. */
export function rowsForTimedUsers(count: number): number {
  return (Math.ceil(count / OF_FIVE.length) + 1) * 5 * PHONES_PER_USER;
}

/** Makes the first users of a population timed: their tokens change, their second phones go. */
export async function makeTimedUsers(db: Database, appRef: number, count: number): Promise<void> {
  const numbers = Array.from({ length: count }, (_, index) => timedUser(index).number);
  await retoken(db, appRef, numbers, TIMED_PREFIX);
  const second = numbers.map((number) => installationIdOf(number + 1));
  await db`
    delete from link using installation
    where link.installation_ref = installation.installation_ref
      and installation.id = any(${second}::uuid[])
  `;
}
