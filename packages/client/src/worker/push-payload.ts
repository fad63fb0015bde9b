import type { PushEnvelope } from '../core/push-client.ts';

/** What Homing sends to a browser, as far as a worker looks at it (docs/providers/webpush.md). */
export interface PushPayload {
  readonly homing: PushEnvelope;
  readonly title?: string;
  readonly body?: string;
  readonly image?: string;
  readonly url?: string;
  readonly actions?: readonly PushAction[];
  /** A number is for the app's icon, a text the address of a small picture. */
  readonly badge?: number | string;
  readonly data?: Readonly<Record<string, unknown>>;
  /** What else `showNotification` takes. */
  readonly [option: string]: unknown;
}

export interface PushAction {
  readonly id: string;
  readonly title: string;
  readonly icon?: string;
  readonly url?: string;
}

/** Null for a push of somebody else's, which is none of ours to show. */
export function parsePush(data: PushMessageData | null): PushPayload | null {
  try {
    const payload = data?.json() as Partial<PushPayload> | null | undefined;
    return typeof payload?.homing?.id === 'string' ? (payload as PushPayload) : null;
  } catch {
    return null;
  }
}

/** Whether there is anything for a person to see. */
export function isVisible({ title, body, image }: PushPayload): boolean {
  return (title ?? body ?? image) !== undefined;
}
