import { hostAndPort, parseOutboundUrl, type AllowedHosts } from './outbound-url.ts';

/** The push services of the browsers, each with answers of its own. */
export type PushService = 'google' | 'mozilla' | 'apple' | 'wns';

/** Where a push to a subscription goes, taken from its endpoint without changing a byte of it. */
export interface PushEndpoint {
  readonly kind: 'endpoint';
  /** As a VAPID token names it: `https://host`, with the port where it is not 443. */
  readonly origin: string;
  /** Everything after the origin, as the browser gave it: WNS refuses what was encoded anew. */
  readonly path: string;
  /** Null for a service of the operator's own. */
  readonly service: PushService | null;
}

export type JudgedEndpoint =
  | PushEndpoint
  /** A placeholder that forks of Chromium leave of a subscription that they removed. */
  | { readonly kind: 'dead' }
  | { readonly kind: 'refused'; readonly why: string };

const HOSTS: Readonly<Record<string, PushService>> = {
  'fcm.googleapis.com': 'google',
  // Subscriptions of years ago.
  'android.googleapis.com': 'google',
  // Builds of Chromium without Google's keys.
  'jmt17.google.com': 'google',
};

/** Any one name below these. */
const DOMAINS: Readonly<Record<string, PushService>> = {
  'push.services.mozilla.com': 'mozilla',
  'push.apple.com': 'apple',
  'notify.windows.com': 'wns',
};

/** It is sent as it is, so it has to be what a request line can carry. */
const PATH = /^\/[\x21-\x7e]*$/;

/**
 * Whether a push service is at an endpoint, and which. Whoever registers chooses the endpoint, so
 * that this is what keeps the server from being sent anywhere else: known hosts only, on port 443,
 * and those that the operator lists in `HOMING_WEBPUSH_HOSTS`.
 */
export function judgeEndpoint(text: string, ownHosts: AllowedHosts): JudgedEndpoint {
  const parsed = parseOutboundUrl(text, ownHosts);
  if (parsed.kind === 'refused') return parsed;
  const { hostname, port, origin } = parsed.url;
  if (hostname.endsWith('.invalid')) return { kind: 'dead' };
  // Browsers give out the plainest spelling; any other one would be a second name for the same.
  const path = text.startsWith(origin) ? text.slice(origin.length) : '';
  if (!PATH.test(path)) return { kind: 'refused', why: 'is not spelt as browsers do' };
  if (ownHosts.has(hostAndPort(hostname, port))) {
    return { kind: 'endpoint', origin, path, service: null };
  }
  const service = serviceAt(hostname);
  return service === null
    ? { kind: 'refused', why: 'is not that of a known push service' }
    : { kind: 'endpoint', origin, path, service };
}

function serviceAt(hostname: string): PushService | null {
  const domain = hostname.slice(hostname.indexOf('.') + 1);
  if (Object.hasOwn(HOSTS, hostname)) return HOSTS[hostname] ?? null;
  return Object.hasOwn(DOMAINS, domain) ? (DOMAINS[domain] ?? null) : null;
}
