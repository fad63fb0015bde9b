import type { InstallationInput } from '@homing/protocol';
import type { RegistryContext } from '../registry/caller.ts';
import type { UserClaim } from '../registry/prove-user.ts';
import type { SyncInput } from '../registry/sync-request.ts';
import { fieldError } from './api-error.ts';
import { contentHash } from './canonical-json.ts';
import type { Identity } from './identity.ts';
import { requireUserId } from './parameters.ts';

type UserInput = NonNullable<InstallationInput['users']>[number];

/**
 * The user group of a packet, or undefined when the packet does not carry it: `user` names the one
 * user that there can be, `users` all of those who may be several.
 */
export async function toUserPart(
  identity: Identity,
  context: RegistryContext,
  installationId: string,
  { user, users }: Pick<InstallationInput, 'user' | 'users'>,
): Promise<SyncInput['user']> {
  if (user === undefined && users === undefined) return undefined;
  if (user !== undefined && users !== undefined) {
    throw fieldError('/users', 'send "user" or "users", as the app\'s account_mode says');
  }
  const form = users === undefined ? 'exclusive' : 'multi';
  const named = (users ?? (user ? [user] : [])).map((one, index) => {
    const pointer = users === undefined ? '/user/id' : `/users/${index}/id`;
    return { ...one, id: requireUserId(one.id, pointer) };
  });
  refuseRepetition(named);
  const claims = await Promise.all(
    named.map((one) => toClaim(identity, context, installationId, one)),
  );
  return { claims, form, hash: hashOfUsers(named.map(({ id }) => id)) };
}

function refuseRepetition(named: readonly UserInput[]): void {
  const ids = named.map(({ id }) => id);
  const index = ids.findIndex((id, position) => ids.indexOf(id) < position);
  if (index >= 0) throw fieldError(`/users/${index}/id`, 'named twice');
}

async function toClaim(
  identity: Identity,
  context: RegistryContext,
  installationId: string,
  { id, assertion, signature }: UserInput,
): Promise<UserClaim> {
  const proof = await identity.prove(context, installationId, {
    userId: id,
    assertion: assertion ?? null,
    signature: signature ?? null,
  });
  return { id, proof };
}

/** The same for both forms where they say the same, so that a switch of the mode forks nobody. */
function hashOfUsers(ids: readonly string[]): Buffer {
  if (ids.length > 1) return contentHash(ids.toSorted());
  const [id] = ids;
  return contentHash(id === undefined ? null : { id });
}
