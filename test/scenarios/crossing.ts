import { openDatabase } from '../../packages/server/src/store/sql.ts';
import { untilBlocked } from '../../packages/server/test/registry/until-blocked.ts';
import type { Answer } from '../answer.ts';
import type { Phone } from './phone.ts';
import type { Scene } from './scene.ts';

/**
 * How two requests that are under way at the same time can meet: one after the other, both ways;
 * held up at the row that they both need, the one or the other first in line; and left to
 * themselves.
 */
export const CROSSINGS = [
  'the first, then the second',
  'the second, then the first',
  'the first ahead at the row',
  'the second ahead at the row',
  'both at once',
] as const;

export type Crossing = (typeof CROSSINGS)[number];

/** A packet of a phone, or a request of a back end. */
type Arrival = () => Promise<Answer>;

/**
 * Lets two requests arrive as the crossing says; returns their answers in the order of the
 * arguments. The row is that of a phone which both have to lock.
 */
export async function cross(
  scene: Scene,
  crossing: Crossing,
  row: Phone,
  first: Arrival,
  second: Arrival,
): Promise<readonly [Answer, Answer]> {
  switch (crossing) {
    case 'the first, then the second':
      return [await first(), await second()];
    case 'the second, then the first': {
      const answer = await second();
      return [await first(), answer];
    }
    case 'the first ahead at the row':
      return meetAtRow(scene, row, first, second);
    case 'the second ahead at the row': {
      const [ahead, behind] = await meetAtRow(scene, row, second, first);
      return [behind, ahead];
    }
    case 'both at once':
      return Promise.all([first(), second()]);
  }
}

/** Holds the phone's row until the one request waits for it; the other comes while it waits. */
async function meetAtRow(
  scene: Scene,
  row: Phone,
  ahead: Arrival,
  behind: Arrival,
): Promise<readonly [Answer, Answer]> {
  const { database, homing } = scene.network;
  const blocker = openDatabase({
    url: database.url,
    maxConnections: 1,
    applicationName: 'blocker',
  });
  try {
    const { leading, following } = await blocker.begin(async (tx) => {
      await tx`select 1 from installation where id = ${row.id} for update`;
      const waiting = ahead();
      await untilBlocked(homing.db, 1);
      // Within an object, because bare promises would be awaited before the row is given back.
      return { leading: waiting, following: behind() };
    });
    return [await leading, await following];
  } finally {
    await blocker.end();
  }
}
