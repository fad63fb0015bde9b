import assert from 'node:assert/strict';
import { SignJWT } from 'jose';
import type { Clock } from '../../domain/clock.ts';
import type { ProviderToken, ProviderTokenStore } from '../provider-token-store.ts';
import type { ApnsKey } from './settings.ts';

const MINUTE_MS = 60_000;

/**
 * Apple wants a new token at least every 60 minutes and at most every 20 ("Establishing a
 * token-based connection to APNs"). 50 leaves ten minutes for clocks that differ and for work under
 * way.
 */
const RENEW_AFTER_MS = 50 * MINUTE_MS;
export const NEVER_RENEW_BEFORE_MS = 20 * MINUTE_MS;
const LIFETIME_MS = 60 * MINUTE_MS;

export interface ApnsProviderTokenOptions {
  readonly key: ApnsKey;
  readonly tokens: ProviderTokenStore;
  readonly clock: Clock;
  /** Hears of every change of the token, with the `authorization` that it ends. */
  readonly onChange: (previousAuthorization: string) => void;
}

/** The JWT that authenticates our requests, shared with every other process through the store. */
export class ApnsProviderToken {
  readonly #key: ApnsKey;
  readonly #tokens: ProviderTokenStore;
  readonly #clock: Clock;
  readonly #onChange: (previousAuthorization: string) => void;
  #token: ProviderToken | null = null;
  #renewal: Promise<ProviderToken> | null = null;

  constructor({ key, tokens, clock, onChange }: ApnsProviderTokenOptions) {
    this.#key = key;
    this.#tokens = tokens;
    this.#clock = clock;
    this.#onChange = onChange;
  }

  /** The token to send with; signs one only when nobody has. Rejects when the store does. */
  async current(): Promise<ProviderToken> {
    if (this.#token !== null && this.#ageMs(this.#token) < RENEW_AFTER_MS) return this.#token;
    try {
      return await this.#renewOnce((stored) => this.#ageMs(stored) < RENEW_AFTER_MS);
    } catch (error) {
      // The store is out of reach, and the old token is good for ten more minutes.
      if (this.#token !== null && this.#ageMs(this.#token) < LIFETIME_MS) return this.#token;
      throw error;
    }
  }

  /** The `authorization` field for the latest token; there must have been one. */
  authorization(): string {
    assert(this.#token !== null, 'a token is made ready before anything is sent');
    return `bearer ${this.#token.value}`;
  }

  /**
   * Makes ready another token than the one that APNs refused as expired. False when that one is
   * younger than 20 minutes: then the clocks disagree, and signing again would be punished without
   * helping.
   */
  async replace(refusedAuthorization: string): Promise<boolean> {
    const refused = refusedAuthorization.slice('bearer '.length);
    const token = await this.#renewOnce((stored) => {
      const limitMs = stored.value === refused ? NEVER_RENEW_BEFORE_MS : RENEW_AFTER_MS;
      return this.#ageMs(stored) < limitMs;
    });
    return token.value !== refused;
  }

  #renewOnce(isGood: (stored: ProviderToken) => boolean): Promise<ProviderToken> {
    this.#renewal ??= this.#renew(isGood).finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #renew(isGood: (stored: ProviderToken) => boolean): Promise<ProviderToken> {
    const stored = await this.#tokens.load();
    if (stored !== null && isGood(stored)) return this.#adopt(stored);
    const renewed = await this.#tokens.renew(async (latest) =>
      latest !== null && isGood(latest) ? latest : this.#sign(),
    );
    return this.#adopt(renewed);
  }

  #adopt(token: ProviderToken): ProviderToken {
    const previous = this.#token;
    this.#token = token;
    if (previous !== null && previous.value !== token.value) {
      this.#onChange(`bearer ${previous.value}`);
    }
    return token;
  }

  async #sign(): Promise<ProviderToken> {
    const issuedAtSeconds = Math.floor(this.#clock().getTime() / 1000);
    const value = await new SignJWT()
      .setProtectedHeader({ alg: 'ES256', kid: this.#key.keyId })
      .setIssuer(this.#key.teamId)
      .setIssuedAt(issuedAtSeconds)
      .sign(this.#key.signingKey);
    const issuedAt = new Date(issuedAtSeconds * 1000);
    return { value, issuedAt, expiresAt: new Date(issuedAt.getTime() + LIFETIME_MS) };
  }

  #ageMs(token: ProviderToken): number {
    return this.#clock().getTime() - token.issuedAt.getTime();
  }
}
