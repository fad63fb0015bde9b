import { retireSharedSecrets } from '../store/identity-keys.ts';
import { updateApp } from '../store/apps.ts';
import type { Transaction } from '../store/sql.ts';
import { auditWrite } from './audit-write.ts';
import type { RegistryContext } from './caller.ts';

/**
 * Switches static signatures on or off. A secret that signed user ids is retired when they are
 * switched off: somebody may have chosen an id that is the beginning of a JWT, and with the
 * signature of that id it would be an assertion for anybody.
 */
export async function switchStaticSignatures(
  tx: Transaction,
  context: RegistryContext,
  isOn: boolean,
): Promise<void> {
  const { app, now } = context;
  await updateApp(tx, app.ref, { static_signatures: isOn });
  if (isOn) return;
  for (const ref of await retireSharedSecrets(tx, app.ref, now)) {
    const subject = `identity_key/${ref}`;
    await auditWrite(tx, context, {
      action: 'identity_key.retire',
      subject,
      before: null,
      after: null,
    });
  }
}
