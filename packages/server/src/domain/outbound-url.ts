import { isIP } from 'node:net';

/** Hosts inside the operator's own network that may be named all the same: `name:port`. */
export type AllowedHosts = ReadonlySet<string>;

export type OutboundUrl =
  | { readonly kind: 'url'; readonly url: URL }
  | { readonly kind: 'refused'; readonly why: string };

const HTTPS_PORT = '443';

/**
 * Whether an address that an app's owner gave may be requested at all: https, on the port of https,
 * to a host that is named and not numbered, and without a user name. Whether the name leads to the
 * public internet shows only when it is looked up (outbound/public-lookup.ts).
 */
export function parseOutboundUrl(text: string, allowed: AllowedHosts): OutboundUrl {
  // The parser would drop tabs and line breaks, and read a backslash as a slash.
  if (/[\s\\]/.test(text) || !URL.canParse(text)) return refused('is no address');
  const url = new URL(text);
  if (url.protocol !== 'https:') return refused('has to begin with https://');
  if (url.username !== '' || url.password !== '') return refused('must not hold a user name');
  if (url.hash !== '') return refused('must not have a fragment');
  if (allowed.has(hostAndPort(url.hostname, url.port))) return { kind: 'url', url };
  if (url.port !== '') return refused('has to be on port 443');
  const why = misnomerOf(url.hostname);
  return why === null ? { kind: 'url', url } : refused(why);
}

/** A host as `AllowedHosts` has it; an empty port is that of https. */
export function hostAndPort(hostname: string, port: string): string {
  return `${hostname}:${port === '' ? HTTPS_PORT : port}`;
}

/** The URL parser has made every spelling of an IPv4 address the usual one by now. */
function misnomerOf(hostname: string): string | null {
  if (hostname.startsWith('[') || isIP(hostname) !== 0) {
    return 'has to name its host, not number it';
  }
  if (!hostname.includes('.') || hostname.endsWith('.')) {
    return 'has to name a public host in full, without a dot at its end';
  }
  return null;
}

function refused(why: string): OutboundUrl {
  return { kind: 'refused', why };
}
