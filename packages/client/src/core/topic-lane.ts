import { counted, isImpossible } from './answer.ts';
import type { Step } from './lane.ts';
import type { Memory, WantedTopic } from './memory.ts';

/** Topics one by one, as soon as the server knows whose they are. */
export function topicLane(memory: Memory): Step | null {
  const topic = memory.topics.find((one) => isDue(memory, one));
  if (topic === undefined) return null;
  const { name, userId, isWanted, seq } = topic;
  const scope = userId === null ? { scope: 'device' } : { scope: 'user', user_id: userId };
  return {
    kind: 'send',
    memory,
    method: isWanted ? 'PUT' : 'DELETE',
    path: `/topics/${encodeURIComponent(name)}?seq=${seq}`,
    body: isWanted ? JSON.stringify(scope) : null,
    settle(held, answer) {
      const known = counted(held, answer);
      const become = (next: WantedTopic | readonly []): Memory['topics'] =>
        held.topics.flatMap((one) => (one.seq === seq ? next : one));
      if (isImpossible(answer)) return { memory: { ...known, topics: become([]) }, error: answer };
      if (answer.status !== 200) return null;
      if (answer.body['applied'] === true) {
        const topics = become(isWanted ? { ...topic, isAcknowledged: true } : []);
        return { memory: { ...known, topics } };
      }
      const next = known.seq + 1;
      const topics = become({ ...topic, seq: next });
      // Its user may not be signed in there any more, which the answer to a state tells.
      const live = { acknowledged: null };
      return { memory: { ...known, seq: next, topics }, live, isRepeat: true };
    },
  };
}

/** A user's own can only be asked for where the server has the user. */
function isDue({ isEnrolled, users }: Memory, { isAcknowledged, userId }: WantedTopic): boolean {
  const isPossible = userId === null || users.some(({ id, isLinked }) => isLinked && id === userId);
  return isEnrolled && !isAcknowledged && isPossible;
}
