import { isIP } from 'node:net';
import { buildConnector } from 'undici';
import { LIMITS } from '../domain/limits.ts';
import { hostAndPort, type AllowedHosts } from '../domain/outbound-url.ts';
import { PrivateAddressError, publicLookup, type Resolve } from './public-lookup.ts';

export interface ConnectorOptions {
  readonly allowed: AllowedHosts;
  readonly resolve: Resolve;
  /** Certificates in PEM that are trusted for allowed hosts instead of the system's. */
  readonly ca: string | null;
}

/**
 * Connects to public addresses only. A name is looked up once, every address is checked, and the
 * connection goes to one of exactly these. Hosts that the operator allows are connected to as they
 * are.
 */
export function guardedConnector({ allowed, resolve, ca }: ConnectorOptions) {
  const limits = { timeout: LIMITS.outboundMs, maxCachedSessions: 0 };
  const lookup = publicLookup(resolve);
  const toPublic = buildConnector({ ...limits, lookup });
  const toAllowed = buildConnector({ ...limits, ...(ca !== null && { ca }) });
  const connect: buildConnector.connector = (options, callback) => {
    const { hostname, port } = options;
    if (allowed.has(hostAndPort(hostname, port))) toAllowed(options, callback);
    // A numbered host would be connected to without being looked up.
    else if (isIP(hostname) === 0 && !hostname.startsWith('[')) toPublic(options, callback);
    else callback(new PrivateAddressError(`${hostname} is not a name`), null);
  };
  return connect;
}
