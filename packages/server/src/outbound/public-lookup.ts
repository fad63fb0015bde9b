import { lookup as systemLookup } from 'node:dns/promises';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';
import { isPublicAddress } from './public-address.ts';

/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>;

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

/** A name that does not lead to the public internet. */
export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
  readonly code = 'PRIVATE_ADDRESS';
}

/** As the system does. */
export async function resolveAll(hostname: string): Promise<readonly ResolvedAddress[]> {
  return systemLookup(hostname, { all: true });
}

/**
 * A look-up for sockets that fails unless every address of the name is public. The socket goes to
 * one of exactly the addresses that were checked: a name that means something else a moment later
 * gains nothing. A socket to an address in place of a name looks nothing up, so whoever uses this
 * refuses numbered hosts first.
 */
export function publicLookup(resolve: Resolve): LookupFunction {
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
