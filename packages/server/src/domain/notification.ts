import { LIMITS } from './limits.ts';
import type { MessageAction, MessageOverrides } from './message.ts';
import type { PurposeTarget } from './purpose.ts';

export type Lane = 'transactional' | 'bulk';
export type Priority = 'high' | 'normal';

/** What a notification says in one language, as the caller wrote it. */
export interface ContentTemplate {
  readonly title?: string;
  readonly body?: string;
  readonly image?: string;
  readonly url?: string;
  readonly data?: Readonly<Record<string, string>>;
  readonly actions?: readonly (Omit<MessageAction, 'url'> & { readonly url?: string })[];
  readonly badge?: number;
  readonly sound?: string;
}

export type Variables = Readonly<Record<string, unknown>>;

/** One accepted request to notify an audience, as workers read it. */
export interface Notification {
  readonly ref: number;
  readonly appRef: number;
  readonly appName: string;
  /** UUID; customers see it as `ntf_…`. */
  readonly id: string;
  /** The day of its partition, `YYYY-MM-DD`. */
  readonly day: string;
  readonly content: ContentTemplate;
  readonly locales: Readonly<Record<string, ContentTemplate>>;
  readonly variables: Variables;
  /** The list that says more about its members; null where there is none. */
  readonly variablesListRef: number | null;
  /** By the customer's user id. */
  readonly recipientVariables: Readonly<Record<string, Variables>>;
  readonly overrides: Partial<MessageOverrides>;
  readonly category: string;
  readonly userBound: boolean;
  readonly priority: Priority;
  readonly lane: Lane;
  readonly silent: boolean;
  /** Null where it goes to the alert tokens. */
  readonly purpose: PurposeTarget | null;
  /** Whether the app still sends to dormant installations what is not a campaign. */
  readonly dormantGetTransactional: boolean;
  readonly collapseKey: string | null;
  /** How many pushes a second all workers together may send; null for as many as they can. */
  readonly pacePerSecond: number | null;
  readonly expiresAt: Date;
  readonly createdAt: Date;
}

export interface TimeToLive {
  readonly seconds: number;
  /** True when the caller asked for longer than user-bound content may wait at a provider. */
  readonly shortened: boolean;
}

/**
 * How long a provider may keep a push. What a provider holds cannot be called back when the phone
 * changes hands, so user-bound content has a ceiling.
 */
export function timeToLive(
  asked: number | null,
  userBound: boolean,
  limits: { readonly defaultSeconds: number; readonly userBoundCeilingSeconds: number },
): TimeToLive {
  const ceiling = userBound ? limits.userBoundCeilingSeconds : Number.POSITIVE_INFINITY;
  const wanted = asked ?? Math.min(limits.defaultSeconds, ceiling);
  return { seconds: Math.min(wanted, ceiling), shortened: wanted > ceiling };
}

/** When a push is worthless. A time to live of 0 means now or never; now includes the way there. */
export function expiryOf(ttl: TimeToLive, now: Date): Date {
  return new Date(now.getTime() + (ttl.seconds * 1000 || LIMITS.nowOrNeverMs));
}
