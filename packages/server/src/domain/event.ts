/** Every kind of line that a timeline can hold; docs/lifecycle.md says when each is written. */
export const EVENT_KINDS = [
  'installation.created',
  'installation.updated',
  'installation.dormant',
  'installation.returned',
  'installation.removed',
  'installation.forked',
  'installation.superseded',
  'token.attached',
  'token.refreshed',
  'token.moved',
  'token.retired',
  'token.quarantined',
  'token.restored',
  'token.contested',
  'token.failed',
  'user.attached',
  'user.detached',
  'permission.changed',
  'preference.changed',
  'topic.subscribed',
  'topic.unsubscribed',
  'registration.superseded',
  'registration.refused',
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

export type EventSource = 'sdk' | 'simple' | 'server_key' | 'provider' | 'console' | 'policy';

/** One change of one installation, before it has a time and a place in the timeline. */
export interface EventDraft {
  readonly installationRef: number;
  readonly kind: EventKind;
  readonly userRef?: number | null;
  /** Fingerprints, never tokens. */
  readonly oldToken?: string | null;
  readonly newToken?: string | null;
  readonly seq?: number | null;
  readonly cause?: string | null;
  /**
   * Told once for each sequence: a client that repeats a refused packet for ever must not fill the
   * timeline.
   */
  readonly once?: boolean;
}

/** What all events of one change have in common. */
export interface EventStamp {
  readonly at: Date;
  readonly source: EventSource;
  readonly requestId: string | null;
}
