import type { AppSettings } from '@homing/protocol';
import {
  contradictoryPlatform,
  fromDormancyPolicy,
  toDormancyPolicy,
  type DormancyPolicy,
} from '../domain/dormancy.ts';
import { updateApp, type App } from '../store/apps.ts';
import { json, type Transaction } from '../store/sql.ts';
import { switchAccountMode } from './account-mode.ts';
import type { RegistryContext } from './caller.ts';
import { switchStaticSignatures } from './static-signatures.ts';

export type SettingName = keyof AppSettings;

/** A value that the schema lets through and the app cannot have. */
export interface SettingProblem {
  /** Below the setting's own name: empty, or `/0` for the first of a list. */
  readonly pointer: string;
  readonly detail: string;
}

interface Setting<Value> {
  readonly read: (app: App) => Value;
  readonly refuse: (value: Value, app: App) => SettingProblem | null;
  readonly write: (tx: Transaction, context: RegistryContext, value: Value) => Promise<void>;
}

/** Every setting of an app: how it is read, which values it cannot have, and how it is written. */
export const APP_SETTINGS: { readonly [Name in SettingName]: Setting<AppSettings[Name]> } = {
  name: {
    read: (app) => app.name,
    refuse: refuseNothing,
    write: intoColumn('name'),
  },
  allowed_origins: {
    read: (app) => [...app.allowedOrigins],
    refuse: refuseOrigins,
    write: intoColumn('allowed_origins'),
  },
  default_ttl_seconds: {
    read: (app) => app.defaultTtlSeconds,
    refuse: refuseNothing,
    write: intoColumn('default_ttl_seconds'),
  },
  user_bound_ttl_ceiling_seconds: {
    read: (app) => app.userBoundTtlCeilingSeconds,
    refuse: refuseNothing,
    write: intoColumn('user_bound_ttl_ceiling_seconds'),
  },
  account_mode: {
    read: (app) => app.accountMode,
    refuse: refuseNothing,
    write: switchAccountMode,
  },
  identity: {
    read: (app) => app.identity,
    refuse: refuseOpenLiveApp,
    write: intoColumn('identity'),
  },
  static_signatures: {
    read: (app) => app.staticSignatures,
    refuse: refuseNothing,
    write: switchStaticSignatures,
  },
  jwks_url: {
    read: (app) => app.jwksUrl,
    // Which addresses the server may ask is the operator's to say, so the route has looked at it.
    refuse: refuseNothing,
    write: intoColumn('jwks_url'),
  },
  takeover: {
    read: (app) => app.takeover,
    refuse: refuseNothing,
    write: intoColumn('takeover'),
  },
  dormancy: {
    read: (app) => fromDormancyPolicy(app.dormancy),
    refuse: refuseContradiction,
    write: async (tx, { app }, value) => {
      const whole = fromDormancyPolicy(changedDormancy(value, app));
      await updateApp(tx, app.ref, { dormancy: json(whole) });
    },
  },
};

export const SETTING_NAMES = Object.keys(APP_SETTINGS) as readonly SettingName[];

/** All settings as they are. */
export function settingsOf(app: App): AppSettings {
  const entries = SETTING_NAMES.map((name) => [name, APP_SETTINGS[name].read(app)]);
  return Object.fromEntries(entries) as AppSettings;
}

/** What is open to abuse as an app is set, in sentences for its owner. */
export function warningsOf(app: App): readonly string[] {
  const warnings: string[] = [];
  if (app.identity === 'off') {
    warnings.push(
      'identity is off: whoever has the publishable key can sign in as anybody and get their pushes',
    );
  }
  if (app.staticSignatures) {
    warnings.push(
      'static_signatures is on: a signature that leaks signs in as its user until the secret is retired',
    );
  }
  if (app.allowedOrigins.includes('*')) {
    warnings.push('allowed_origins has *: any web page may use the publishable key');
  }
  return warnings;
}

function intoColumn(column: string) {
  return async (tx: Transaction, { app }: RegistryContext, value: unknown): Promise<void> =>
    updateApp(tx, app.ref, { [column]: value });
}

function refuseNothing(): null {
  return null;
}

/** What is left out stays as it is; `platforms` is one value, so that a platform can go. */
function changedDormancy(input: AppSettings['dormancy'], app: App): DormancyPolicy {
  return toDormancyPolicy({ ...fromDormancyPolicy(app.dormancy), ...input });
}

function refuseContradiction(input: AppSettings['dormancy'], app: App): SettingProblem | null {
  const platform = contradictoryPlatform(changedDormancy(input, app));
  if (platform === null) return null;
  const detail = 'the warning has to come before the dormancy, or on the same day';
  return { pointer: `/platforms/${platform}`, detail };
}

/** Scheme, host and port as a browser writes them; apps in a web view have schemes of their own. */
const ORIGIN_SHAPE = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@\\*A-Z]+$/;

function refuseOrigins(origins: readonly string[]): SettingProblem | null {
  const index = origins.findIndex((origin) => origin !== '*' && !isOrigin(origin));
  if (index < 0) return null;
  const detail = 'an origin as browsers send it, such as https://shop.example, or *';
  return { pointer: `/${index}`, detail };
}

function isOrigin(text: string): boolean {
  if (!ORIGIN_SHAPE.test(text) || !URL.canParse(text)) return false;
  return !/^https?:/.test(text) || new URL(text).origin === text;
}

/** In a live app, whoever reads the publishable key out of the app could read anybody's pushes. */
function refuseOpenLiveApp(identity: AppSettings['identity'], app: App): SettingProblem | null {
  if (identity === 'required' || app.environment === 'test') return null;
  const detail = 'a live app always requires proof of its users; "off" is for test apps';
  return { pointer: '', detail };
}
