import { requireTopic } from './argument.ts';
import { want } from './device.ts';
import type { Engine } from './engine.ts';
import type { Memory } from './memory.ts';

/** `PushClient.subscribeTopic`; rejects with a `TypeError` that names the argument. */
export async function subscribeTopic(
  engine: Engine,
  topic: string,
  scope: 'device' | 'user' = 'device',
): Promise<void> {
  requireTopic(topic);
  await want(engine, (memory) => {
    const user = scope === 'user' ? memory.users.at(-1) : null;
    if (user === undefined) throw new TypeError('scope');
    return withTopic(memory, topic, true, user && user.id);
  });
}

/** `PushClient.unsubscribeTopic`; rejects with a `TypeError` that names the argument. */
export async function unsubscribeTopic(engine: Engine, topic: string): Promise<void> {
  requireTopic(topic);
  await want(engine, (memory) => withTopic(memory, topic, false, null));
}

/** A topic that is as wanted already stays as it is, acknowledged or not. */
function withTopic(memory: Memory, name: string, isWanted: boolean, userId: string | null): Memory {
  const held = memory.topics.find((topic) => topic.name === name);
  if (held?.isWanted === isWanted && (!isWanted || held.userId === userId)) return memory;
  const others = memory.topics.filter((topic) => topic !== held);
  const seq = memory.seq + 1;
  const topic = { name, userId, isWanted, seq, isAcknowledged: false };
  return { ...memory, seq, topics: [...others, topic] };
}
