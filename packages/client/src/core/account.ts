import { requireTags, requireUserId } from './argument.ts';
import { want } from './device.ts';
import { change, type Engine } from './engine.ts';
import { newcomer, withLogout, withUsers, type Memory, type Tags } from './memory.ts';
import { interrupt, poke } from './outbox.ts';
import type { UserProof } from './push-client-options.ts';
import { clearScreen } from './screen.ts';

const MAX_USERS = 20;

/** `PushClient.login`; rejects with a `TypeError` that names the argument. */
export async function login(engine: Engine, userId: string, proof: UserProof): Promise<void> {
  requireUserId(userId);
  const { isScreenStale } = await change(engine, (memory) => {
    const next = signedIn(memory, userId, engine.accounts);
    if (next.users.length > MAX_USERS) throw new TypeError('userId');
    return next;
  });
  engine.proofs.set(userId, proof);
  if (isScreenStale) await leave(engine);
  poke(engine, true);
}

/** `PushClient.logout`; null for everybody. */
export async function logout(engine: Engine, userId: string | null = null): Promise<void> {
  await change(engine, (memory) => signedOut(memory, userId));
  // Nobody vouches for them here any more, also where another tab signs them in again.
  if (userId === null) engine.proofs.clear();
  else engine.proofs.delete(userId);
  await leave(engine);
  poke(engine, true);
}

/** `PushClient.setTags`; rejects with a `TypeError` that names the argument. */
export async function setTags(engine: Engine, tags: Tags): Promise<void> {
  requireTags(tags);
  await want(engine, (memory) => ({ ...memory, tags }));
}

/** `PushClient.setDeviceTags`; rejects with a `TypeError` that names the argument. */
export async function setDeviceTags(engine: Engine, deviceTags: Tags): Promise<void> {
  requireTags(deviceTags);
  await want(engine, (memory) => ({ ...memory, deviceTags }));
}

/** Nothing of whoever has left goes out before their logout, or stays on the screen. */
async function leave(engine: Engine): Promise<void> {
  interrupt(engine);
  await clearScreen(engine);
}

/** Whoever signs in has to be vouched for, unless the server knows of the user already. */
function signedIn(memory: Memory, userId: string, accounts: 'one' | 'several'): Memory {
  const { users } = memory;
  if (users.some(({ id }) => id === userId)) return memory;
  if (accounts === 'several') return { ...memory, users: [...users, newcomer(userId)] };
  const [last] = users;
  const instead = last?.isLinked === true ? last.id : (last?.instead ?? null);
  return withUsers(memory, [newcomer(userId, instead)]);
}

/**
 * Rule R5: everything of a user goes at once, what waits to be sent included, and the marker goes
 * out before anything else. What was sent may still be under way, so that the next packet says all
 * again under a higher sequence. Nobody there: the same memory.
 */
function signedOut(memory: Memory, userId: string | null): Memory {
  const staying = memory.users.filter(({ id }) => userId !== null && id !== userId);
  if (staying.length === memory.users.length) return memory;
  return withLogout(withUsers(memory, staying), userId);
}
