import type { Settled, Surroundings } from './lane.ts';
import { freshMemory, newcomer, withoutUsers, type Memory } from './memory.ts';

const ENROL_ANEW_MS = 3_600_000;

/**
 * The server does not know this id any more, or another copy of it is alive. What the app wants
 * stays; users have to be vouched for again, because their proofs named the former id. At most once
 * an hour; null before that.
 */
export function enrolAnew(
  memory: Memory,
  error: NonNullable<Settled['error']>,
  { live, spare, now }: Surroundings,
): Settled | null {
  const agoMs = now - (memory.enrolledAnewAt ?? -Infinity);
  if (agoMs >= 0 && agoMs < ENROL_ANEW_MS) return null;
  const lost = memory.users.filter(({ id }) => !live.proofs.has(id));
  const kept = withoutUsers(memory, lost);
  const fresh = {
    ...freshMemory(spare),
    enrolledAnewAt: now,
    isUnsubscribed: kept.isUnsubscribed,
    tags: kept.tags,
    deviceTags: kept.deviceTags,
    users: kept.users.map(({ id }) => newcomer(id)),
    topics: kept.topics.map((topic) => ({ ...topic, seq: null, isAcknowledged: false })),
  };
  return { memory: fresh, isRepeat: true, error };
}
