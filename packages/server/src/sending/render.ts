import { bestLocale } from '../domain/locale.ts';
import type { Message } from '../domain/message.ts';
import type { ContentTemplate, Notification, Variables } from '../domain/notification.ts';
import { fillTemplate } from '../domain/template.ts';
import { formatTypedId } from '../domain/typed-id.ts';

/** Whom a message is rendered for. */
export interface Reader {
  readonly locale: string | null;
  /** The customer's user id; null where nobody is signed in or the content is not user-bound. */
  readonly userId: string | null;
  /** What an uploaded list says about this reader; null where that is nothing. */
  readonly variables: Variables | null;
}

/** Turns one notification into what it says to each reader. */
export interface Renderer {
  render(reader: Reader): Message;
}

/**
 * A renderer of one notification. What says the same is the same object, so that payload builders
 * can reuse bytes: one for each locale, and one for each user that has variables of its own.
 */
export function createRenderer(notification: Notification): Renderer {
  const shared = new Map<string, Message>();
  const locales = Object.keys(notification.locales);
  const chosen = new Map<string | null, string | null>();
  const localeFor = (wanted: string | null): string | null => {
    let locale = chosen.get(wanted);
    if (locale === undefined) {
      locale = bestLocale(wanted, locales);
      chosen.set(wanted, locale);
    }
    return locale;
  };
  return {
    render(reader) {
      const locale = localeFor(reader.locale);
      const own = reader.variables ?? ownVariables(notification, reader.userId);
      if (own !== null) {
        return renderFor(notification, locale, { ...notification.variables, ...own });
      }
      const known = shared.get(locale ?? '');
      if (known !== undefined) return known;
      const message = renderFor(notification, locale, notification.variables);
      shared.set(locale ?? '', message);
      return message;
    },
  };
}

function ownVariables(notification: Notification, userId: string | null): Variables | null {
  return userId === null ? null : (notification.recipientVariables[userId] ?? null);
}

function renderFor(
  notification: Notification,
  locale: string | null,
  variables: Variables,
): Message {
  const localized = locale === null ? undefined : notification.locales[locale];
  const content: ContentTemplate = { ...notification.content, ...localized };
  const fill = (template: string | undefined): string | null =>
    template === undefined ? null : fillTemplate(template, variables);
  return {
    notificationId: formatTypedId('ntf', notification.id),
    title: fill(content.title) ?? (notification.silent ? null : notification.appName),
    body: fill(content.body),
    image: fill(content.image),
    url: fill(content.url),
    data: Object.fromEntries(
      Object.entries(content.data ?? {}).map(([key, value]) => [
        key,
        fillTemplate(value, variables),
      ]),
    ),
    actions: (content.actions ?? []).map((action) => ({
      id: action.id,
      title: fillTemplate(action.title, variables),
      url: fill(action.url),
    })),
    badge: content.badge ?? null,
    sound: content.sound ?? null,
    silent: notification.silent,
    ...purposeOf(notification),
    priority: notification.priority,
    collapseKey: notification.collapseKey,
    challenge: null,
    overrides: {
      apns: notification.overrides.apns ?? null,
      fcm: notification.overrides.fcm ?? null,
      webpush: notification.overrides.webpush ?? null,
      hms: notification.overrides.hms ?? null,
      expo: notification.overrides.expo ?? null,
    },
  };
}

function purposeOf({ purpose, createdAt: at }: Notification): Pick<Message, 'purpose'> {
  return purpose === null ? {} : { purpose: { name: purpose.name, at } };
}
