import type { DeviceFacts } from '../core/ports.ts';

/** What there is between brackets in front, and whatever comes after the last of them. */
const SYSTEM_AND_PRODUCTS = /^.*?\((.*?)[;)](?:.*\))?/;

/**
 * What support should see of a browser, as `X11 Gecko/20100101 Firefox/153.0`: what tells it from
 * others, in the words of its user agent. A page and its worker say the same, so that neither
 * overwrites the other.
 */
export function browserFacts(appVersion: string | undefined): DeviceFacts {
  const { userAgent, language } = navigator;
  return {
    platform: 'web',
    label: userAgent.replace(SYSTEM_AND_PRODUCTS, '$1'),
    locale: language,
    time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(appVersion !== undefined && { app_version: appVersion }),
  };
}
