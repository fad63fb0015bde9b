import { base64url } from './base64url.ts';
import { hex } from './hex.ts';
import type { Cryptography } from './ports.ts';

/** What an installation is known by, made by the client before its first transmission. */
export interface Identity {
  readonly id: string;
  /** 32 random bytes in base64url. */
  readonly secret: string;
}

/** A UUID of version 4 (RFC 9562, section 5.4) and a secret. */
export function freshIdentity(cryptography: Cryptography): Identity {
  const digits = hex(cryptography.randomBytes(16));
  const variant = '89ab'.charAt(Number.parseInt(digits.charAt(16), 16) & 3);
  const marked = `${digits.slice(0, 12)}4${digits.slice(13, 16)}${variant}${digits.slice(17)}`;
  const id = marked.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  return { id, secret: base64url(cryptography.randomBytes(32)) };
}
