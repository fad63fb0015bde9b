import { BlockList, isIP } from 'node:net';

/**
 * IPv4 addresses that are not of the public internet (the special-purpose registry of IANA, RFC
 * 6890), with the reason that each one has an entry.
 */
const PRIVATE_IPV4: readonly (readonly [string, number])[] = [
  // "This network"; on many systems it reaches the host itself.
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  // Carriers' networks (RFC 6598); one cloud keeps its metadata service there.
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  // Link-local, where most clouds keep their metadata service.
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  // Protocol assignments, another cloud's metadata service among them.
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  // Relays from IPv4 to IPv6 (RFC 7526).
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  // Multicast, and all that is reserved above it.
  ['224.0.0.0', 3],
  // A public address that means the virtual machine's own host in one cloud.
  ['168.63.129.16', 32],
];

/** Of IPv6 only this part is handed out (RFC 4291 section 2.4), so that it alone can be public. */
const GLOBAL_IPV6 = ['2000::', 3] as const;

/** What of it is not public, or holds an IPv4 address that would have to be looked at again. */
const PRIVATE_IPV6: readonly (readonly [string, number])[] = [
  // Protocol assignments: Teredo, ORCHID, benchmarks.
  ['2001::', 23],
  ['2001:db8::', 32],
  // 6to4 holds an IPv4 address.
  ['2002::', 16],
  ['3fff::', 20],
];

const privateIpv4 = listOf(PRIVATE_IPV4, 'ipv4');
const globalIpv6 = listOf([GLOBAL_IPV6], 'ipv6');
const privateIpv6 = listOf(PRIVATE_IPV6, 'ipv6');

/**
 * Whether an IP address, in the form in which it is connected to, belongs to the public internet.
 * False for everything private, local, reserved, or wrapped around an address of another kind
 * (IPv4-mapped, NAT64, 6to4, Teredo), for addresses with a zone, and for what is no address.
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !privateIpv4.check(address, 'ipv4');
    case 6:
      if (address.includes('%')) return false;
      return globalIpv6.check(address, 'ipv6') && !privateIpv6.check(address, 'ipv6');
    default:
      return false;
  }
}

function listOf(
  networks: readonly (readonly [string, number])[],
  family: 'ipv4' | 'ipv6',
): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of networks) list.addSubnet(network, prefix, family);
  return list;
}
