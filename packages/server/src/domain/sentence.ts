import type { DeliveryState, FailureReason, SkipReason } from './delivery.ts';
import type { EventKind, EventSource } from './event.ts';

/** What a timeline line is made of; ids as people know them. */
export interface EventFacts {
  readonly kind: EventKind;
  readonly source: EventSource;
  readonly userId: string | null;
  readonly oldToken: string | null;
  readonly newToken: string | null;
  readonly cause: string | null;
}

const SOURCES: Readonly<Record<EventSource, string>> = {
  sdk: 'the device',
  simple: 'the device',
  server_key: 'the back end',
  provider: 'the provider',
  console: 'a person in the console',
  policy: 'a policy',
};

/** One event in plain words, for the person who has to answer "why did I get nothing?". */
export function eventSentence(event: EventFacts): string {
  const by = SOURCES[event.source];
  const user = event.userId === null ? 'An erased user' : `User ${event.userId}`;
  switch (event.kind) {
    case 'installation.created':
      return 'The installation was seen for the first time.';
    case 'installation.updated':
      return `The app was updated: ${event.cause ?? 'unknown version'}.`;
    case 'installation.dormant':
      return 'The installation has not checked in for long and left campaigns.';
    case 'installation.returned':
      return 'The installation checked in again after a long silence.';
    case 'installation.removed':
      return `The installation was removed by ${by}.`;
    case 'installation.forked':
      return 'Two copies of the installation are alive; one was told to enrol anew.';
    case 'installation.superseded':
      return `A newer installation on the same device took its place${because(event.cause)}.`;
    case 'token.attached':
      return `Token ${event.newToken} was attached.`;
    case 'token.refreshed':
      return `Token ${event.oldToken} was replaced by token ${event.newToken}.`;
    case 'token.moved':
      return `Token ${event.oldToken} moved to another installation.`;
    case 'token.retired':
      return `Token ${event.oldToken} was retired by ${by}${because(event.cause)}.`;
    case 'token.quarantined':
      return `Token ${event.oldToken} was put aside until the device confirms it${because(event.cause)}.`;
    case 'token.restored':
      return `Token ${event.newToken} ${RESTORED[event.cause ?? ''] ?? RESTORED.check_in} and is in use again.`;
    case 'token.contested':
      return `Token ${event.oldToken} is disputed between installations.`;
    case 'token.failed':
      return `The system of the device gave the app no token${because(event.cause)}.`;
    case 'user.attached':
      return `${user} signed in.`;
    case 'user.detached':
      return `${user} ${DETACHED[event.cause ?? ''] ?? 'was signed out'}.`;
    case 'permission.changed':
      return `The permission to notify is now "${event.cause ?? 'unknown'}".`;
    case 'preference.changed':
      return `The device changed its preferences: ${event.cause ?? ''}.`;
    case 'topic.subscribed':
      return `Topic ${event.cause} was subscribed.`;
    case 'topic.unsubscribed':
      return `Topic ${event.cause} was unsubscribed.`;
    case 'registration.superseded':
      return `A late request about ${event.cause ?? 'the installation'} was ignored.`;
    case 'registration.refused':
      return `A sign-in was refused${because(event.cause)}.`;
  }
}

/** By cause; a device that reports a retired token anew gives none. */
const RESTORED: Readonly<Record<string, string>> & { readonly check_in: string } = {
  check_in: 'was confirmed by the device',
  challenge: 'was confirmed through a push to the device',
  calm: 'was claimed by nobody else for a day',
  mass_death: 'was refused together with too many others to be believed',
  other_environment: "was taken by the provider's other environment",
  still_valid: 'was taken with another message',
};

const DETACHED: Readonly<Record<string, string>> = {
  logout: 'signed out',
  switched: 'was signed out because somebody else signed in',
  revoked: 'was signed out by the back end',
  deleted: 'was signed out because the account was deleted',
  removed: 'was signed out because the installation was removed',
  superseded: 'was signed out here because the app was installed anew on the same device',
};

export interface DeliveryFacts {
  readonly state: DeliveryState;
  readonly reason: string | null;
  readonly code: string | null;
  readonly provider: string | null;
  readonly attempts: number;
  readonly possibleDuplicate: boolean;
  /** When the addressee left the device after the push went to it; null while that is not so. */
  readonly ownerLeftAt: Date | null;
}

/** One delivery in plain words. */
export function deliverySentence(delivery: DeliveryFacts): string {
  const repeated = delivery.possibleDuplicate ? ' It may have been shown twice.' : '';
  const isOutOfReach = delivery.state === 'accepted' && delivery.ownerLeftAt !== null;
  const left = isOutOfReach ? ' The owner of the device changed after it was accepted.' : '';
  return deliveryState(delivery) + repeated + left;
}

function deliveryState(delivery: DeliveryFacts): string {
  const provider = PROVIDER_NAMES[delivery.provider ?? ''] ?? 'the provider';
  switch (delivery.state) {
    case 'accepted':
      return `Accepted by ${provider}.`;
    case 'failed':
      return isByReceipt(delivery)
        ? `Taken by ${provider}, whose receipt said later: ${failureWords(delivery)}.`
        : `Refused by ${provider}: ${failureWords(delivery)}.`;
    case 'expired':
      return 'Not sent: the notification expired first.';
    case 'unknown':
      return `${capital(provider)} never answered; whether it arrived is unknown.`;
    case 'retrying':
      return `Not yet: ${waitingWords(delivery)}.`;
    case 'skipped':
      return skipSentence(delivery.reason);
  }
}

/** Why nothing was sent to a device, in plain words. */
export function skipSentence(reason: string | null): string {
  return `Not sent: ${wordsOf(SKIPPED, reason)}.`;
}

/** Some providers take a push and say a while later that they could not pass it on. */
function isByReceipt({ code }: DeliveryFacts): boolean {
  return code?.startsWith('receipt:') === true;
}

function failureWords(delivery: DeliveryFacts): string {
  const words = wordsOf(FAILED, delivery.reason);
  return delivery.code === null ? words : `${words} (${delivery.code})`;
}

function waitingWords(delivery: DeliveryFacts): string {
  const { reason } = delivery;
  if (reason === null) return 'another credential serves the device now, which offers it';
  const words = failureWords(delivery);
  if (reason === 'token_dead' || reason === 'token_mismatch') {
    return `${words}; it follows the device to the token that it has now`;
  }
  return `${words}; it will be tried again (${attempts(delivery.attempts)} so far)`;
}

/** A ledger may be older than the program that reads it, and its reasons with it. */
function wordsOf(table: Readonly<Record<string, string>>, reason: string | null): string {
  return table[reason ?? ''] ?? `for the reason "${reason ?? 'none'}"`;
}

function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

const PROVIDER_NAMES: Readonly<Record<string, string>> = {
  apns: 'APNs',
  fcm: 'FCM',
  webpush: 'the push service',
  expo: 'Expo',
  hms: 'HMS',
};

const FAILED: Readonly<Record<FailureReason, string>> = {
  token_dead: 'the token is not valid any more',
  token_mismatch: 'the token belongs to another environment, topic or project',
  payload: 'the content is not acceptable',
  throttled: 'too many pushes in a short time',
  transient: 'the provider had trouble',
  auth: "the app's credential was refused",
  unclassified: 'the provider gave an answer that is not known',
  unknown: 'no answer came',
};

const SKIPPED: Readonly<Record<SkipReason, string>> = {
  owner_changed: 'the user is not signed in on this device any more',
  opted_out: 'notifications of this category are switched off',
  permission_denied: 'the device does not allow notifications',
  muted: 'the device is muted, or the user chose another device only',
  dormant: 'the device has not been seen for long',
  quarantined: 'the token was put aside until the device confirms it',
  contested: 'the token is disputed between installations',
  no_token: 'the device has no token',
  no_credential: 'the app has no credential for the provider of this device',
  quiet_hours: 'it was quiet hours for the user',
  capped: 'the user had enough notifications already',
  newer_sent: 'a newer notification with the same collapse key was sent first',
  cancelled: 'the notification was cancelled',
};

function because(cause: string | null): string {
  return cause === null ? '' : `: ${cause}`;
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
