import { warnOfSilence } from '../core/development.ts';
import { logoutLane } from '../core/logout-lane.ts';
import { stateLane } from '../core/state-lane.ts';
import { topicLane } from '../core/topic-lane.ts';
import { subscribeTopic, unsubscribeTopic } from '../core/topic.ts';
import { openPagePush, type PushOptions } from './page-push.ts';
import type { Push } from './push.ts';

/** Prepares push for a page; nothing is sent or shown before `init`. */
export function createPush(options: PushOptions): Push {
  const push = openPagePush(options, [logoutLane, stateLane, topicLane]);
  const { engine } = push;
  if (engine !== null && options.development === true) warnOfSilence(engine);
  return {
    ...push,
    async subscribeTopic(topic, scope) {
      if (engine !== null) await subscribeTopic(engine, topic, scope);
    },
    async unsubscribeTopic(topic) {
      if (engine !== null) await unsubscribeTopic(engine, topic);
    },
  };
}
