import { isIP, type LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { buildConnector } from 'undici';
import { LIMITS } from '../domain/limits.ts';
import { hostAndPort, type AllowedHosts } from './outbound-url.ts';
import { isPublicAddress } from './public-address.ts';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export interface ConnectorOptions {
  readonly allowed: AllowedHosts;
  readonly resolve: Resolve;
  /** Certificates in PEM that are trusted for allowed hosts instead of the system's. */
  readonly ca: string | null;
}

/** A name that does not lead to the public internet. */
class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
}

/**
 * Connects to public addresses only. A name is looked up once, every address is checked, and the
 * connection goes to one of exactly these: a name that means something else a moment later gains
 * nothing. Hosts that the operator allows are connected to as they are.
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

function publicLookup(resolve: Resolve): LookupFunction {
  const lookup = callbackify((hostname: string) => resolvePublic(resolve, hostname));
  return (hostname, options, callback) =>
    lookup(hostname, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) callback(error, []);
      else if (options.all === true) callback(null, [...addresses]);
      else callback(null, first.address, first.family);
    });
}

async function resolvePublic(
  resolve: Resolve,
  hostname: string,
): Promise<readonly ResolvedAddress[]> {
  const addresses = await resolve(hostname);
  if (addresses.length === 0) throw new PrivateAddressError(`${hostname} has no address`);
  const isAllPublic = addresses.every(({ address }) => isPublicAddress(address));
  if (isAllPublic) return addresses;
  throw new PrivateAddressError(`${hostname} does not lead to the public internet`);
}
