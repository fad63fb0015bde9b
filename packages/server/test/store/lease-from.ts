import type { Network } from '../../../../test/network.ts';
import { LIMITS } from '../../src/domain/limits.ts';
import type { Lane } from '../../src/domain/notification.ts';
import type { LeasedChunk } from '../../src/store/chunks.ts';
import { leaseChunks, type LeaseRequest } from '../../src/store/leases.ts';

const NOTHING = { without: [], crowded: { notifications: [], credentials: [] }, paced: true };

/** Leases chunks as a worker does, and leaves out nothing unless told to. */
export function leaseFrom(
  { homing, clock }: Network,
  lane: Lane,
  limit: number,
  leftOut: Partial<Pick<LeaseRequest, 'without' | 'crowded'>> = {},
): Promise<readonly LeasedChunk[]> {
  const request = { owner: 'test', lane, limit, leaseMs: LIMITS.leaseMs, now: clock.now() };
  return leaseChunks(homing.db, { ...request, ...NOTHING, ...leftOut });
}
