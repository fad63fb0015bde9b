import { generateKeyPairSync, randomInt } from 'node:crypto';

/** A provider key as the simulator knows it. */
export interface ApnsKey {
  readonly keyId: string;
  readonly teamId: string;
  readonly publicKeyPem: string;
  /** A topic-specific key may push these only; without them, all of the team's. */
  readonly topics?: readonly string[];
  /** A key made for one environment is refused by the other. */
  readonly environment?: 'production' | 'sandbox';
}

/** Both halves of a provider key, for tests and demonstrations. */
export interface ApnsKeyPair extends ApnsKey {
  /** PKCS#8, as in the .p8 file that Apple hands out. */
  readonly privateKeyPem: string;
}

const IDENTIFIER_LENGTH = 10;
const IDENTIFIER_LETTERS = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789';

/** Generates a provider key. A given team id makes it another key of that team. */
export function createApnsKey(teamId: string = randomIdentifier()): ApnsKeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return {
    keyId: randomIdentifier(),
    teamId,
    privateKeyPem: privateKey,
    publicKeyPem: publicKey,
  };
}

function randomIdentifier(): string {
  const letters = Array.from({ length: IDENTIFIER_LENGTH }, () =>
    IDENTIFIER_LETTERS.charAt(randomInt(IDENTIFIER_LETTERS.length)),
  );
  return letters.join('');
}
