import { base64url } from './base64url.ts';
import { hex } from './hex.ts';
import type { Cryptography } from './ports.ts';

/** What an installation is known by, made by the client before its first transmission. */
export interface Identity {
  readonly id: string;
  /** 32 random bytes in base64url. */
  readonly secret: string;
}

/** A UUID of version 4 (RFC 9562, section 5.4; one of its four variants) and a secret. */
export function freshIdentity(cryptography: Cryptography): Identity {
  return {
    id: hex(cryptography.randomBytes(16)).replace(/(.{8})(.{4}).(.{3}).(.{3})/, '$1-$2-4$3-8$4-'),
    secret: base64url(cryptography.randomBytes(32)),
  };
}
