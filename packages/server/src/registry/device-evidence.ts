import type { Installation } from '../domain/installation.ts';
import type { NamedUser } from '../domain/registration.ts';
import type { RegistryContext } from './caller.ts';
import type { SyncFacts } from './sync-facts.ts';

/**
 * Whether a user's bearer comes without any sign that it was sent from this very device. On the
 * simple routes a device is known by a text that others may know too. A proof may put its own user
 * there; but to end somebody's link with nobody in return, or to move the token under it, takes a
 * sign. Any one of these is a sign, or makes one needless:
 *
 * - nobody is signed in, or the bearer's own user is;
 * - the request signs the bearer's user in: on a shared device with a fresh token that is all there
 *   is to see, and whoever was signed in before is signed out with the same write;
 * - the request presents the token that the installation holds, which only its device and we know;
 * - the installation has no token in use, so that nobody is reached through it any more;
 * - the bearer's user was signed in on it before, as on a device that a household shares.
 *
 * Without a sign the request is refused and changes nothing; whoever is signed in can still sign
 * out, and a back end can remove the installation.
 */
export function isFromElsewhere(
  { caller }: RegistryContext,
  installation: Installation,
  presentedKey: Buffer | null,
  named: readonly NamedUser[],
  facts: Pick<SyncFacts, 'users' | 'linkedPairs'>,
): boolean {
  if (caller.kind !== 'simple' || caller.bearer.kind !== 'user') return false;
  if (named.some(({ proof }) => proof.kind === 'proven')) return false;
  const { links, token, ref } = installation;
  if (links.length === 0 || token === null || token.status === 'retired') return false;
  if (presentedKey !== null && token.key.equals(presentedKey)) return false;
  const user = facts.users.get(caller.bearer.userId);
  return user === undefined || !facts.linkedPairs.has(`${ref}/${user.ref}`);
}
