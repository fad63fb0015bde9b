import type { Address } from './address.ts';

/**
 * The part of a provider that answers for an address, by a name of few values: what breaks apart
 * from the rest of a credential. APNs has a host for each environment, Web Push one for each
 * browser vendor.
 */
export function providerHost(address: Address): string {
  switch (address.provider) {
    case 'apns':
      return address.environment;
    case 'webpush':
      return URL.parse(address.token)?.host ?? 'webpush';
    case 'fcm':
    case 'expo':
    case 'hms':
      return address.provider;
  }
}
