import type { InstallationInput } from '@homing/protocol';
import { tokenOf, type Live } from './live.ts';
import type { Memory, WantedUser } from './memory.ts';
import type { PushClientOptions } from './push-client-options.ts';

/** What is the same for every packet of an app. */
export type StateOptions = Required<Pick<PushClientOptions, 'accounts' | 'sdkVersion'>>;

/** Everything that the server shall hold, without sequence, proofs and nonces. */
export type State = Omit<InstallationInput, 'seq' | 'takeover'>;

/**
 * The complete state that this device wants the server to hold; null as long as the system has not
 * said enough. Users for whom nobody vouches yet are left out: so whoever was there before them is
 * signed out (rule R6).
 */
export function stateOf(memory: Memory, live: Live, options: StateOptions): State | null {
  const { device, permission } = live;
  const token = tokenOf(live, memory.isUnsubscribed);
  if (device === null || permission === null || token === 'awaited') return null;
  const users = nameable(memory).map(({ id }) => ({ id }));
  return {
    ...(token === 'unchanged' ? { token_error: errorOf(live) } : { token, token_error: null }),
    ...(options.accounts === 'several' ? { users } : { user: users[0] ?? null }),
    permission,
    device: { ...device, sdk_version: options.sdkVersion },
    ...(memory.tags !== null && { tags: memory.tags }),
    ...(memory.deviceTags !== null && { device_tags: memory.deviceTags }),
  };
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
