import type { DeviceFacts } from '../core/ports.ts';

/** Whoever names these is no other, though newer browsers name older ones too. */
const BROWSER = /Edg|OPR|SamsungBrowser|Firefox/;
const OLDER_BROWSER = /Chrome|Safari/;

/**
 * What support should see of a browser, as `Firefox on X11` or `Safari on iPhone`, in the words of
 * its user agent. A page and its worker say the same, so that neither overwrites the other.
 */
export function browserFacts(appVersion: string | undefined): DeviceFacts {
  const { userAgent, language } = navigator;
  const browser = BROWSER.exec(userAgent) ?? OLDER_BROWSER.exec(userAgent);
  const system = /\(([^;)]*)/.exec(userAgent);
  return {
    platform: 'web',
    label: `${browser?.[0]} on ${system?.[1]}`,
    locale: language,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(appVersion !== undefined && { app_version: appVersion }),
  };
}
