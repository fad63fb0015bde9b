import type { Settled, Surroundings } from './lane.ts';
import { newcomer, withUsers, type Memory } from './memory.ts';

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
  const agoMs = now - (memory.enrolledAnewAt ?? 0);
  if (agoMs >= 0 && agoMs < ENROL_ANEW_MS) return null;
  const vouched = memory.users.filter(({ id }) => live.proofs.has(id));
  const kept = withUsers(
    memory,
    vouched.map(({ id }) => newcomer(id)),
  );
  const fresh = {
    ...kept,
    ...spare,
    seq: kept.topics.length,
    isEnrolled: false,
    enrolledAnewAt: now,
    wasOvertaken: false,
    logouts: [],
    sent: null,
    topics: kept.topics.map((topic, before) => ({
      ...topic,
      seq: before + 1,
      isAcknowledged: false,
    })),
    receipts: [],
  };
  return { memory: fresh, live: { takeover: null }, isRepeat: true, error };
}
