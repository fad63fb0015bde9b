import { isDeepStrictEqual } from 'node:util';
import type { AppInput, AppSettings } from '@homing/protocol';
import {
  countSharedInstallations,
  lockAccountMode,
  type SharedInstallations,
} from '../store/account-mode.ts';
import { lockApp, type App } from '../store/apps.ts';
import { listIdentityKeys } from '../store/identity-keys.ts';
import type { Database, Transaction } from '../store/sql.ts';
import { inTransaction } from '../store/transaction.ts';
import {
  APP_SETTINGS,
  SETTING_NAMES,
  type SettingName,
  type SettingProblem,
} from './app-settings.ts';
import { auditWrite } from './audit-write.ts';
import type { RegistryContext } from './caller.ts';

export type AppChangeResult =
  | {
      readonly kind: 'changed';
      readonly app: App;
      /** Who was signed out because one user at most may be signed in now; null otherwise. */
      readonly ended: SharedInstallations | null;
      /** The ids of keys that vouch no more, because they signed user ids; null otherwise. */
      readonly retiredKeys: readonly string[] | null;
    }
  /** Nothing was written. */
  | { readonly kind: 'refused'; readonly pointer: string; readonly detail: string };

/**
 * Changes an app's settings, all that are named or none, and leaves an audit record of those that
 * are different now, with their values before and after. Every process honours the change within
 * the two seconds for which it remembers an app. A dry run says what would be and changes nothing.
 */
export async function changeApp(
  db: Database,
  context: RegistryContext,
  input: AppInput,
  { dryRun }: { readonly dryRun: boolean },
): Promise<AppChangeResult> {
  return inTransaction(db, async (tx) => {
    const app = await lockApp(tx, context.app.ref);
    const current = { ...context, app };
    const named = namedIn(input);
    for (const { name, value } of named) {
      const problem = refusalOf(name, value, app);
      if (problem !== null) {
        return { kind: 'refused', pointer: `/${name}${problem.pointer}`, detail: problem.detail };
      }
    }
    const different = named.filter(({ name, value }) => !isDeepStrictEqual(read(name, app), value));
    const isEnding = app.accountMode === 'multi' && input.account_mode === 'exclusive';
    // Counted before anything is ended, and while nobody can sign in any more.
    if (isEnding && !dryRun) await lockAccountMode(tx, app.ref);
    const ended = isEnding ? await countSharedInstallations(tx, app.ref) : null;
    const retiredKeys = await keysEndedBy(tx, app, input);
    if (different.length === 0 || dryRun) return { kind: 'changed', app, ended, retiredKeys };
    for (const { name, value } of different) await write(tx, current, name, value);
    const changed = await lockApp(tx, app.ref);
    await auditWrite(tx, current, {
      action: 'app.change',
      subject: `app/${app.ref}`,
      before: pick(different, app),
      after: pick(different, changed),
    });
    return { kind: 'changed', app: changed, ended, retiredKeys };
  });
}

/** The shared secrets that end when static signatures are switched off. */
async function keysEndedBy(
  tx: Transaction,
  app: App,
  input: AppInput,
): Promise<readonly string[] | null> {
  if (!app.staticSignatures || input.static_signatures !== false) return null;
  const live = await listIdentityKeys(tx, app.ref);
  return live.flatMap(({ algorithm, keyId }) => (algorithm === 'HS256' ? [keyId] : []));
}

interface NamedSetting {
  readonly name: SettingName;
  readonly value: AppSettings[SettingName];
}

function namedIn(input: AppInput): readonly NamedSetting[] {
  return SETTING_NAMES.flatMap((name) => {
    const value = input[name];
    return value === undefined ? [] : [{ name, value }];
  });
}

function read<Name extends SettingName>(name: Name, app: App): AppSettings[Name] {
  return APP_SETTINGS[name].read(app);
}

function refusalOf<Name extends SettingName>(
  name: Name,
  value: AppSettings[Name],
  app: App,
): SettingProblem | null {
  return APP_SETTINGS[name].refuse(value, app);
}

async function write<Name extends SettingName>(
  tx: Transaction,
  context: RegistryContext,
  name: Name,
  value: AppSettings[Name],
): Promise<void> {
  await APP_SETTINGS[name].write(tx, context, value);
}

function pick(settings: readonly NamedSetting[], app: App): Partial<AppSettings> {
  return Object.fromEntries(settings.map(({ name }) => [name, read(name, app)]));
}
