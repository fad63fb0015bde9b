import type { Installation } from '../domain/installation.ts';
import type { NamedUser } from '../domain/registration.ts';
import { wasEverLinked } from '../store/links.ts';
import type { Queryable } from '../store/sql.ts';
import { findUser } from '../store/users.ts';
import type { RegistryContext } from './caller.ts';

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
export async function isFromElsewhere(
  db: Queryable,
  { app, caller }: RegistryContext,
  installation: Installation,
  presentedKey: Buffer | null,
  named: NamedUser | null,
): Promise<boolean> {
  if (caller.kind !== 'simple' || caller.bearer.kind !== 'user') return false;
  if (named?.proof.kind === 'proven') return false;
  const { link, token } = installation;
  if (link === null || token === null || token.status === 'retired') return false;
  if (presentedKey !== null && token.key.equals(presentedKey)) return false;
  const user = await findUser(db, app.ref, caller.bearer.userId);
  return user === null || !(await wasEverLinked(db, installation.ref, user.ref));
}
