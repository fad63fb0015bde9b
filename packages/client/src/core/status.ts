import { read, type Engine } from './engine.ts';
import { tokenOf } from './live.ts';
import type { PushStatus } from './push-client.ts';
import { registeredState } from './state-lane.ts';

const TOKENS = { unchanged: 'failed', awaited: 'none' } as const;

/** `PushClient.status`. */
export async function status(engine: Engine): Promise<PushStatus> {
  const memory = await read(engine);
  const token = tokenOf(engine, memory.isUnsubscribed);
  return {
    installationId: memory.id,
    permission: engine.permission ?? (await engine.platform.permission()),
    token: typeof token === 'string' ? TOKENS[token] : token === null ? 'none' : 'present',
    registered: registeredState(memory, engine) !== null,
    users: memory.users.map(({ id }) => id),
    logoutPending: memory.logouts.length > 0,
    lastError: engine.lastError,
  };
}
