import type { AccountMode } from '../domain/registration.ts';
import { signOutChanges } from '../domain/sign-out.ts';
import {
  lockAccountMode,
  sharedInstallationRefs,
  writeAccountMode,
} from '../store/account-mode.ts';
import { writeChanges } from '../store/change-set.ts';
import { lockInstallationRefs } from '../store/installations.ts';
import type { Transaction } from '../store/sql.ts';
import { stampOf, type RegistryContext } from './caller.ts';

/** So many installations are signed out by one set of statements. */
const SLICE = 500;

/**
 * Lets several users be signed in on one installation, or one. All links stay where that is
 * possible. On an installation with several users nobody can tell whose device it is, so all of
 * them are signed out when there may be one only. Registrations that are being written end before,
 * and later ones follow the new mode, in every process.
 */
export async function switchAccountMode(
  tx: Transaction,
  context: RegistryContext,
  mode: AccountMode,
): Promise<void> {
  const { app } = context;
  await lockAccountMode(tx, app.ref);
  if (mode === 'exclusive') await signOutShared(tx, context);
  await writeAccountMode(tx, app.ref, mode);
}

async function signOutShared(tx: Transaction, context: RegistryContext): Promise<void> {
  const { app, now } = context;
  const end = { endedBy: 'revoked', mark: null, at: now } as const;
  for (let after = 0; ;) {
    const refs = await sharedInstallationRefs(tx, app.ref, after, SLICE);
    const shared = await lockInstallationRefs(tx, refs);
    const writes = shared.map((installation) => ({
      changes: signOutChanges(installation, installation.links, end),
      stamp: stampOf(context),
      audit: null,
      held: installation,
    }));
    await writeChanges(tx, app.ref, writes);
    if (refs.length < SLICE) return;
    after = refs.at(-1) ?? 0;
  }
}
