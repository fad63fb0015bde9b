import { hash } from 'node:crypto';
import type { Recipient } from './delivery.ts';

/** References are safe integers of up to 53 bits; bitwise operators know 32. */
const BITS_24 = 2 ** 24;
const BITS_48 = 2 ** 48;

/** One of the two references that make an id, on top of what the notification says. */
interface Half {
  readonly high: number;
  readonly low: number;
  readonly rest: number;
}

/**
 * The ids of one notification's deliveries, each of which every attempt carries: a UUID derived
 * from notification, installation and user, so that a worker that takes over after a crash repeats
 * it without having stored it. Version 8 (RFC 9562 section 5.8: custom): a digest of the
 * notification's id with the two references laid over it, so that no two deliveries of one
 * notification can share an id. A digest for each of them cost 4 % of a worker's time.
 */
export function deliveryIdsOf(notificationId: string): (recipient: Recipient) => string {
  const digest = hash('sha256', notificationId, 'buffer');
  const version = hex((digest.readUInt8(6) & 0x0f) | 0x80, 2);
  const variant = hex((digest.readUInt8(8) & 0x3f) | 0x80, 2);
  const first = halfAt(digest, 0, 7);
  const second = halfAt(digest, 10, 9);
  return ({ installationRef, userRef }) => {
    const a = laidOver(first, installationRef);
    const b = laidOver(second, userRef);
    return (
      `${a.long.slice(0, 8)}-${a.long.slice(8)}-${version}${a.rest}-` +
      `${variant}${b.rest}-${b.long}`
    );
  };
}

function halfAt(digest: Buffer, at: number, restAt: number): Half {
  return {
    high: digest.readUIntBE(at, 3),
    low: digest.readUIntBE(at + 3, 3),
    rest: digest.readUInt8(restAt),
  };
}

function laidOver({ high, low, rest }: Half, ref: number): { long: string; rest: string } {
  const middle = Math.floor(ref / BITS_24) % BITS_24;
  const top = Math.floor(ref / BITS_48);
  return {
    long: hex(high ^ middle, 6) + hex(low ^ (ref % BITS_24), 6),
    rest: hex(rest ^ top, 2),
  };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
