import { openDatabase } from '../../packages/server/src/store/sql.ts';
import { untilBlocked } from '../../packages/server/test/registry/until-blocked.ts';
import type { Answer } from '../answer.ts';
import type { Packet, Phone } from './phone.ts';
import type { Scene } from './scene.ts';

/**
 * How two packets that are under way at the same time can meet: one after the other, both ways;
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

/** Lets two packets arrive as the crossing says; their answers in the order of the packets. */
export async function cross(
  scene: Scene,
  crossing: Crossing,
  row: Phone,
  first: Packet,
  second: Packet,
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

/** Holds the phone's row until the one packet waits for it; the other comes while it waits. */
async function meetAtRow(
  scene: Scene,
  row: Phone,
  ahead: Packet,
  behind: Packet,
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
