import type { Purpose } from './purpose.ts';

/** One button under a notification. */
export interface MessageAction {
  readonly id: string;
  readonly title: string;
  readonly url: string | null;
}

/** A message for one of the tokens that an installation has beside that for alerts. */
export interface MessagePurpose {
  readonly name: Purpose;
  /** When the notification was accepted: what happened later replaces what happened before. */
  readonly at: Date;
}

/**
 * Provider-specific fields of the request, already validated, merged last by the payload builders.
 */
export interface MessageOverrides {
  readonly apns: Readonly<Record<string, unknown>> | null;
  readonly fcm: Readonly<Record<string, unknown>> | null;
  readonly webpush: Readonly<Record<string, unknown>> | null;
  readonly hms: Readonly<Record<string, unknown>> | null;
  readonly expo: Readonly<Record<string, unknown>> | null;
}

export const NO_OVERRIDES: MessageOverrides = {
  apns: null,
  fcm: null,
  webpush: null,
  hms: null,
  expo: null,
};

/**
 * What a notification says, rendered for one locale and free of templates. The same object is
 * shared by all deliveries that say the same thing, so payload builders may cache by identity.
 */
export interface Message {
  readonly notificationId: string;
  readonly title: string | null;
  readonly body: string | null;
  readonly image: string | null;
  readonly url: string | null;
  readonly data: Readonly<Record<string, string>>;
  readonly actions: readonly MessageAction[];
  readonly badge: number | null;
  readonly sound: string | null;
  readonly silent: boolean;
  /**
   * Set where only the address is in question: a provider that can tell whether it is good without
   * sending anything does that.
   */
  readonly isTrial?: true;
  /** What it is for, where it does not go to an alert token. */
  readonly purpose?: MessagePurpose;
  readonly priority: 'high' | 'normal';
  /** The caller's collapse key; null when every notification stands for itself. */
  readonly collapseKey: string | null;
  /** What the device is to echo to prove that this token reaches it; null but for probes. */
  readonly challenge: string | null;
  readonly overrides: MessageOverrides;
}
