import { counted, isImpossible } from './answer.ts';
import type { Step } from './lane.ts';
import type { Memory, WantedTopic } from './memory.ts';

/** Topics one by one, as soon as the server knows whose they are. */
export function topicLane(memory: Memory): Step | null {
  const due = memory.topics.find((one) => isDue(memory, one));
  if (due === undefined) return null;
  const topic = { ...due, seq: due.seq ?? memory.seq + 1 };
  const { name, userId, isWanted, seq } = topic;
  const scope = userId === null ? { scope: 'device' } : { scope: 'user', user_id: userId };
  return {
    kind: 'send',
    memory: { ...replaced(memory, due, topic), seq: Math.max(seq, memory.seq) },
    method: isWanted ? 'PUT' : 'DELETE',
    path: `/topics/${encodeURIComponent(name)}?seq=${seq}`,
    body: isWanted ? JSON.stringify(scope) : null,
    settle(held, answer) {
      const sent = held.topics.find((one) => one.name === name && one.seq === seq);
      const become = (next: WantedTopic | null): Memory =>
        replaced(counted(held, answer), sent, next);
      if (isImpossible(answer)) return { memory: become(null), error: answer };
      if (answer.status !== 200) return null;
      if (answer.body['applied'] !== true) {
        return { memory: become({ ...topic, seq: null }), isRepeat: true };
      }
      return { memory: become(isWanted ? { ...topic, isAcknowledged: true } : null) };
    },
  };
}

function replaced(
  memory: Memory,
  old: WantedTopic | undefined,
  next: WantedTopic | null,
): Memory {
  const topics = memory.topics.flatMap((one) => (one === old ? (next ?? []) : one));
  return { ...memory, topics };
}

/** A user's own can only be asked for where the server has the user. */
function isDue({ isEnrolled, users }: Memory, { isAcknowledged, userId }: WantedTopic): boolean {
  const isPossible = userId === null || users.some(({ id, isLinked }) => isLinked && id === userId);
  return isEnrolled && !isAcknowledged && isPossible;
}
