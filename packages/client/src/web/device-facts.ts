import type { DeviceFacts } from '../core/ports.ts';

/** By a word of the user agent; the first that fits, because newer browsers name older ones too. */
const BROWSERS = ['Edg', 'OPR', 'SamsungBrowser', 'Firefox', 'Chrome', 'Safari'];

/**
 * What support should see of a browser, as `Firefox on X11` or `Safari on iPhone`, in the words of
 * its user agent. A page and its worker say the same, so that neither overwrites the other.
 */
export function browserFacts(appVersion: string | undefined): DeviceFacts {
  const { userAgent, language } = navigator;
  const browser = BROWSERS.find((word) => userAgent.includes(word));
  const system = /\(([^;)]*)/.exec(userAgent)?.[1];
  return {
    platform: 'web',
    label: `${browser} on ${system}`,
    locale: language,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(appVersion !== undefined && { app_version: appVersion }),
  };
}
