import type { InstallationInput } from '@homing/protocol';
import { tokenOf, type Live } from './live.ts';
import type { Memory, WantedUser } from './memory.ts';

/** Everything that the server shall hold, without sequence, proofs and nonces. */
export type State = Omit<InstallationInput, 'seq' | 'takeover'>;

/**
 * The complete state that this device wants the server to hold; null as long as the system has not
 * said enough. Users for whom nobody vouches yet are left out: so whoever was there before them is
 * signed out (rule R6).
 */
export function stateOf(memory: Memory, live: Live): State | null {
  const { device, permission } = live;
  const token = tokenOf(live, memory.isUnsubscribed);
  if (device === null || permission === null || token === 'awaited') return null;
  return {
    ...(token === 'unchanged' ? { token_error: errorOf(live) } : { token, token_error: null }),
    ...usersPart(
      live,
      nameable(memory).map(({ id }) => ({ id })),
    ),
    permission,
    device: { ...device, sdk_version: live.sdkVersion },
    ...(memory.tags && { tags: memory.tags }),
    ...(memory.deviceTags && { device_tags: memory.deviceTags }),
  };
}

/** Users as an app that has one, or several, names them. */
export function usersPart<U extends { readonly id: string }>(
  { accounts }: Live,
  users: U[],
): { readonly user: U | null } | { readonly users: U[] } {
  return accounts === 'several' ? { users } : { user: users[0] ?? null };
}

/** In the lengths that the server takes. */
function errorOf({ token }: Live): { readonly code: string; readonly detail: string } | null {
  if (token?.kind !== 'failed') return null;
  return { code: token.code.slice(0, 64) || 'unknown', detail: token.detail.slice(0, 500) };
}

/** The users whom a packet can name. */
export function nameable({ users }: Memory): readonly WantedUser[] {
  return users.filter(({ isLinked, proof }) => isLinked || proof !== null);
}
