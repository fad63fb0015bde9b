import type { Notification } from '../domain/notification.ts';
import type { PushMaker } from '../sending/push-maker.ts';
import type { LeasedChunk } from '../store/chunks.ts';
import type { Lane } from './lane.ts';
import type { RateLimiter } from './rate-limiter.ts';

/** A leased chunk with everything that it takes to send it. */
export interface ChunkWork {
  readonly chunk: LeasedChunk;
  /** Null while the credential cannot be opened at all: the chunk is only judged. */
  readonly lane: Lane | null;
  /** Null where the notification has no pace of its own. */
  readonly pace: RateLimiter | null;
  readonly notification: Notification;
  readonly pushMaker: PushMaker;
}
