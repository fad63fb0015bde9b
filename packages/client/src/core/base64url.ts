const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** Base64url without padding (RFC 4648, section 5). Not every engine of phones has `btoa`. */
export function base64url(bytes: Uint8Array): string {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.replaceAll(/.{1,6}/g, (six) => DIGITS.charAt(Number.parseInt(six.padEnd(6, '0'), 2)));
}
