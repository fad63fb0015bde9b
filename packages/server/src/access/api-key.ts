import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { sha256 } from '../domain/sha256.ts';

/** Base62: every character survives a double click, a URL and a shell. */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 30 characters of base62 carry 178 random bits. */
const RANDOM_CHARACTERS = 30;
const CHECKSUM_CHARACTERS = 6;
const SHAPE = /^hmg_(sk_live|sk_test|pk)_([0-9A-Za-z]{30})([0-9A-Za-z]{6})$/;

export type ApiKeyPrefix = 'sk_live' | 'sk_test' | 'pk';

/** A new key in the clear; shown once, stored as its hash. */
export function generateApiKey(prefix: ApiKeyPrefix): string {
  const random = Array.from({ length: RANDOM_CHARACTERS }, () =>
    ALPHABET.charAt(randomInt(ALPHABET.length)),
  ).join('');
  const body = `hmg_${prefix}_${random}`;
  return body + checksum(body);
}

/**
 * True when a text has the shape and the checksum of a key. A typing error is told from a revoked
 * key without a look at the database.
 */
export function isApiKey(text: string): boolean {
  if (!SHAPE.test(text)) return false;
  return text.endsWith(checksum(text.slice(0, -CHECKSUM_CHARACTERS)));
}

export function hashApiKey(key: string): Buffer {
  return sha256(key);
}

/** What may be shown of a key: enough to tell two apart. */
export function apiKeyHint(key: string): string {
  const prefix = key.slice(0, key.lastIndexOf('_') + 1);
  return `${prefix}…${key.slice(-4)}`;
}

function checksum(text: string): string {
  let rest = crc32(text);
  let digits = '';
  for (let index = 0; index < CHECKSUM_CHARACTERS; index += 1) {
    digits = ALPHABET.charAt(rest % ALPHABET.length) + digits;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return digits;
}
