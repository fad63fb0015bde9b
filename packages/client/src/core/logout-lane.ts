import { counted, isGone } from './answer.ts';
import type { Step } from './lane.ts';
import type { Memory } from './memory.ts';

/** Rule R5: the marker of a logout goes out until the server has acknowledged it. */
export function logoutLane(memory: Memory): Step | null {
  const [logout] = memory.logouts;
  if (logout === undefined) return null;
  const { userId, seq } = logout;
  const who = userId === null ? 'user' : `users/${encodeURIComponent(userId)}`;
  return {
    kind: 'send',
    memory,
    method: 'DELETE',
    path: `/${who}?seq=${seq}`,
    body: null,
    settle(held, answer) {
      // Nobody is signed in where the server does not know the installation.
      if (![204, 404].includes(answer.status) && !isGone(answer)) return null;
      const logouts = held.logouts.filter((one) => one.seq !== seq);
      return { memory: { ...counted(held, answer), logouts } };
    },
  };
}
