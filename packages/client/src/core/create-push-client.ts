import { login, logout, setDeviceTags, setTags } from './account.ts';
import { createEngine } from './create-engine.ts';
import { warnOfSilence } from './development.ts';
import { dispose, register, start, unsubscribe, wake } from './device.ts';
import { listen, settled } from './engine.ts';
import { logoutLane } from './logout-lane.ts';
import type { Ports } from './ports.ts';
import type { PushClient } from './push-client.ts';
import type { PushClientOptions } from './push-client-options.ts';
import { receiptLane } from './receipt-lane.ts';
import { received, witness } from './reception.ts';
import { selfCheck } from './self-check.ts';
import { stateLane } from './state-lane.ts';
import { status } from './status.ts';
import { subscribeTopic, unsubscribeTopic } from './topic.ts';
import { topicLane } from './topic-lane.ts';

/**
 * A client for one installation, with everything that there is; what has to be small is made of
 * fewer parts (`web/create-push.ts`). Dispose it, or its timers and listeners stay.
 */
export function createPushClient(options: PushClientOptions, ports: Ports): PushClient {
  const lanes = [logoutLane, stateLane, topicLane, receiptLane];
  const engine = createEngine(options, ports, lanes);
  if (options.development === true) warnOfSilence(engine);
  return {
    start: () => start(engine),
    async subscribe() {
      if ((await ports.platform.permission()) === 'default')
        await ports.platform.requestPermission();
      return register(engine);
    },
    unsubscribe: () => unsubscribe(engine),
    login: (userId, proof) => login(engine, userId, proof),
    logout: (userId) => logout(engine, userId),
    setTags: (tags) => setTags(engine, tags),
    setDeviceTags: (tags) => setDeviceTags(engine, tags),
    subscribeTopic: (topic, scope) => subscribeTopic(engine, topic, scope),
    unsubscribeTopic: (topic) => unsubscribeTopic(engine, topic),
    received: (envelope) => received(engine, envelope),
    displayed: (envelope) => witness(engine, envelope, 'displayed'),
    opened: (envelope) => witness(engine, envelope, 'opened'),
    async dismissed(envelope) {
      await witness(engine, envelope, 'dismissed');
    },
    status: () => status(engine),
    selfCheck: () => selfCheck(engine),
    on: listen(engine),
    wake: () => wake(engine),
    settled: () => settled(engine),
    [Symbol.asyncDispose]: () => dispose(engine),
  };
}
