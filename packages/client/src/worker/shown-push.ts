import type { PushEnvelope } from '../core/push-client.ts';
import type { PushPayload } from './push-payload.ts';

/** What a notification on the screen remembers of its push, beside the content's own `data`. */
export interface ShownPush {
  readonly envelope: PushEnvelope;
  /** Where a click leads; by the id of the button, or `''` for the notification itself. */
  readonly urls: Readonly<Record<string, string>>;
}

export interface NotificationForm {
  readonly title: string;
  readonly options: NotificationOptions;
}

/** `defaultTitle` is for pushes without a title, since a notification needs one. */
export function notificationOf(payload: PushPayload, defaultTitle: string): NotificationForm {
  const { homing, title = defaultTitle, url, actions = [], badge, data, ...rest } = payload;
  const urls = Object.fromEntries(
    [{ id: '', url }, ...actions].flatMap(({ id, url }) => (url === undefined ? [] : [[id, url]])),
  );
  const shown: ShownPush = { envelope: homing, urls };
  const options = {
    ...rest,
    ...(typeof badge === 'string' && { badge }),
    actions: actions.map(({ id, title, icon }) => ({ action: id, title, icon })),
    data: { ...data, homing: shown },
  };
  return { title, options };
}

/** Null for a notification that the site showed itself. */
export function shownPush({ data }: Notification): ShownPush | null {
  const shown = (data as { readonly homing?: ShownPush } | null | undefined)?.homing;
  return shown?.envelope === undefined ? null : shown;
}

/** Where a click leads; null where nothing was said, or nothing that a page can be. */
export function urlOf({ urls }: ShownPush, action: string): string | null {
  const text = urls[action] ?? urls[''];
  if (text === undefined) return null;
  try {
    const { protocol, href } = new URL(text, location.origin);
    return /^https?:$/.test(protocol) ? href : null;
  } catch {
    return null;
  }
}
