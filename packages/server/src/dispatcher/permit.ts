import { LIMITS } from '../domain/limits.ts';
import type { Lane as LaneName } from '../domain/notification.ts';
import type { Lane } from './lane.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** Leave to send so many pushes: tokens of the pace and of the lane, and room on the wire. */
export interface Permit {
  readonly pushes: number;
  /** So many pushes are not sent after all. */
  readonly giveBack: (pushes: number) => void;
  /** So many were answered: their places on the wire are free, their tokens are spent. */
  readonly answered: (pushes: number) => void;
}

/** What a permit is asked for. */
export interface PermitRequest {
  readonly laneName: LaneName;
  readonly lane: Lane;
  /** Of the notification; null where it has no pace of its own. */
  readonly pace: RateLimiter | null;
  readonly want: number;
  /** Told what is waited for, one after the other. */
  readonly waitsFor: (what: AwaitedThing) => void;
}

/** What is in the way of a chunk: its notification's pace, or the tokens or room of its lane. */
export type AwaitedThing = 'pace' | 'lane';

/**
 * What has to be had before the gate, so that a push that passed it starts at once. Tokens come
 * before room, because room is what others wait for. Null when some of it could not be had for a
 * moment; whoever asks looks then whether the notification still goes on.
 */
export async function takePermit(request: PermitRequest): Promise<Permit | null> {
  const { laneName, lane, pace } = request;
  const patienceMs = LIMITS.permitPatienceMs;
  const limiters = [pace, lane.limiter].filter((one) => one !== null);
  let pushes = request.want;
  const taken: { readonly limiter: RateLimiter; readonly tokens: number }[] = [];
  const returnAbove = (used: number): void => {
    for (const { limiter, tokens } of taken) limiter.giveBack(tokens - used);
  };
  for (const limiter of limiters) {
    request.waitsFor(limiter === pace ? 'pace' : 'lane');
    pushes = await limiter.take(laneName, pushes, patienceMs);
    taken.push({ limiter, tokens: pushes });
    if (pushes === 0) break;
  }
  if (pushes > 0) {
    request.waitsFor('lane');
    pushes = await lane.room.take(laneName, pushes, patienceMs);
  }
  returnAbove(pushes);
  if (pushes === 0) return null;
  return {
    pushes,
    giveBack: (count) => {
      lane.room.release(laneName, count);
      for (const limiter of limiters) limiter.giveBack(count);
    },
    answered: (count) => lane.room.release(laneName, count),
  };
}
