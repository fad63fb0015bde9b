import { read, type Engine } from './engine.ts';
import { tokenOf } from './live.ts';
import type { PushStatus } from './push-client.ts';
import { registeredState } from './state-lane.ts';

export async function status(engine: Engine): Promise<PushStatus> {
  const { live, lastError, ports } = engine;
  const memory = await read(engine);
  const token = tokenOf(live, memory.isUnsubscribed);
  return {
    installationId: memory.id,
    permission: live.permission ?? (await ports.platform.permission()),
    token: token === 'unchanged' ? 'failed' : token === null || token === 'awaited' ? 'none' : 'present',
    registered: registeredState(memory, live) !== null,
    users: memory.users.map((user) => user.id),
    logoutPending: memory.logouts.length > 0,
    lastError,
  };
}
