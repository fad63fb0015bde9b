import type { Address } from './address.ts';

/**
 * A nonce that travels through a token as a silent push: whoever echoes it has shown that pushes to
 * the token reach it.
 */
export interface Challenge {
  /** Who claims the token, by the id of the installation; it need not be enrolled. */
  readonly claimantId: string;
  /** Who holds it, and in which state; another state makes the nonce worthless. */
  readonly holderRef: number;
  readonly holderVersion: number;
  readonly address: Address;
  readonly key: Buffer;
  readonly nonce: string;
  readonly at: Date;
  readonly expiresAt: Date;
}

/** One that is on its way, or was lately: until then no other one like it goes out. */
export type OpenChallenge = Pick<Challenge, 'claimantId' | 'holderVersion' | 'expiresAt'>;
