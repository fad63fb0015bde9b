import { randomBytes } from 'node:crypto';

export type HandsetPermission = 'default' | 'granted' | 'denied' | 'provisional';

/** A notification as a person sees it. */
export interface Shown {
  readonly tag: string;
  readonly title: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * A phone as its operating system has it: what outlives the process of an app, and what outlives
 * the app. Stand-ins of native modules read and write it.
 */
export class Handset {
  readonly os: 'android' | 'ios';
  /** The keychain of iOS outlives the app; what Android keeps under its Keystore does not. */
  readonly vault = new Map<string, string>();
  /** User defaults and other files: they go with the app, and into backups. */
  readonly files = new Map<string, unknown>();
  /** What the app shares with its notification service extension. */
  sharedTags: readonly string[] = [];
  /** Until somebody has unlocked the phone after it was switched on. */
  isLocked = false;
  permission: HandsetPermission = 'default';
  /** What the person answers when asked. */
  answer: HandsetPermission = 'granted';
  timesAsked = 0;
  screen: readonly Shown[] = [];
  badge = 0;
  isOnline = true;
  fcmToken = fcmTokenValue();
  /** Firebase's begin with one of c, d, e and f. */
  installationId = `d${randomBytes(16).toString('base64url').slice(0, 21)}`;
  apnsToken = randomBytes(32).toString('hex');

  constructor(os: Handset['os']) {
    this.os = os;
  }

  ask(): HandsetPermission {
    this.timesAsked += 1;
    if (this.permission === 'default') this.permission = this.answer;
    return this.permission;
  }

  /** Puts something on the screen, in place of what has the same tag. */
  show(shown: Shown): void {
    this.screen = [...this.screen.filter(({ tag }) => tag !== shown.tag), shown];
  }

  clear(): void {
    this.screen = [];
    this.badge = 0;
  }

  uninstall(): void {
    if (this.os === 'android') this.vault.clear();
    this.files.clear();
    this.clear();
    this.permission = 'default';
    this.fcmToken = fcmTokenValue();
  }

  /** A phone that was set up from this one's backup; what stays on the device is not in it. */
  restoreOnto(other: Handset): void {
    for (const [name, value] of this.files) other.files.set(name, value);
  }

  get titles(): readonly (string | null)[] {
    return this.screen.map(({ title }) => title);
  }
}

/** A phone on which the app may notify. */
export function allowed(os: Handset['os']): Handset {
  const handset = new Handset(os);
  handset.permission = 'granted';
  return handset;
}

export function fcmTokenValue(): string {
  const id = randomBytes(16).toString('base64url').slice(0, 22);
  return `${id}:APA91b${randomBytes(90).toString('base64url')}`;
}
