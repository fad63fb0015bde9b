import assert from 'node:assert/strict';
import type { Clock } from '../domain/clock.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { ProviderToken, ProviderTokenStore } from './provider-token-store.ts';

/** How long before its end a token is replaced, so that none expires under way. */
const RENEW_BEFORE_END_MS = 5 * 60_000;

/** A token that is still good is not renewed more often, whatever the last attempt brought. */
const RETRY_RENEWAL_AFTER_MS = 30_000;

/**
 * A token that was fetched because its predecessor was refused is not itself replaced for so long:
 * else a credential whose access was revoked would fetch a token per push.
 */
const REPLACE_AGAIN_AFTER_MS = 60_000;

export type TokenAnswer =
  | { readonly kind: 'token'; readonly token: ProviderToken }
  /** What every push has come to while there is no token: of kind `auth` or `transient`. */
  | { readonly kind: 'refused'; readonly outcome: Outcome };

/** Where tokens are had: a token endpoint, or a key of our own that signs them. */
export interface TokenSource {
  /** A token that is good from now on. To reject is as good as a transient refusal. */
  fetchToken(now: Date): Promise<TokenAnswer>;
}

export interface BearerTokenOptions {
  readonly source: TokenSource;
  readonly tokens: ProviderTokenStore;
  readonly clock: Clock;
}

/** Carries the endpoint's refusal through the store, whose lock has to be released. */
class TokenRefused extends Error {
  readonly outcome: Outcome;

  constructor(outcome: Outcome) {
    super('There is no token to be had.');
    this.outcome = outcome;
  }
}

/** The bearer token that authenticates our requests, shared through the store. */
export class BearerToken {
  readonly #source: TokenSource;
  readonly #tokens: ProviderTokenStore;
  readonly #clock: Clock;
  #token: ProviderToken | null = null;
  #renewal: Promise<Outcome | null> | null = null;
  #renewNotBeforeMs = 0;
  #replacedAtMs = Number.NEGATIVE_INFINITY;

  constructor({ source, tokens, clock }: BearerTokenOptions) {
    this.#source = source;
    this.#tokens = tokens;
    this.#clock = clock;
  }

  /** Null once a usable token is ready, else what stands in the way. Never rejects. */
  async ready(): Promise<Outcome | null> {
    const now = this.#clock().getTime();
    const usable = this.#token !== null && this.#leftMs(this.#token) > 0;
    if (usable && (this.#isFresh(this.#token) || now < this.#renewNotBeforeMs)) return null;
    this.#renewNotBeforeMs = now + RETRY_RENEWAL_AFTER_MS;
    const obstacle = await this.#renewOnce((stored) => this.#isFresh(stored));
    return usable ? null : obstacle;
  }

  /** The `authorization` field for the latest token; there must have been one. */
  authorization(): string {
    assert(this.#token !== null, 'a token is made ready before anything is sent');
    return `Bearer ${this.#token.value}`;
  }

  /**
   * Makes ready another token than the one that was refused; false when there is none to be had.
   */
  async replace(refusedAuthorization: string): Promise<boolean> {
    if (this.authorization() !== refusedAuthorization) return true;
    const now = this.#clock().getTime();
    if (this.#renewal === null) {
      if (now - this.#replacedAtMs < REPLACE_AGAIN_AFTER_MS) return false;
      this.#replacedAtMs = now;
    }
    const refused = refusedAuthorization.slice('Bearer '.length);
    await this.#renewOnce((stored) => stored.value !== refused && this.#isFresh(stored));
    return this.authorization() !== refusedAuthorization;
  }

  #renewOnce(isGood: (stored: ProviderToken) => boolean): Promise<Outcome | null> {
    this.#renewal ??= this.#renew(isGood).finally(() => {
      this.#renewal = null;
    });
    return this.#renewal;
  }

  async #renew(isGood: (stored: ProviderToken) => boolean): Promise<Outcome | null> {
    try {
      const stored = await this.#tokens.load();
      if (stored !== null && isGood(stored)) this.#token = stored;
      else {
        this.#token = await this.#tokens.renew(async (latest) =>
          latest !== null && isGood(latest) ? latest : this.#fetch(),
        );
      }
      return null;
    } catch (error) {
      if (error instanceof TokenRefused) return error.outcome;
      const code = 'provider_token_unavailable';
      return { kind: 'transient', code, status: null, retryAfterMs: null };
    }
  }

  async #fetch(): Promise<ProviderToken> {
    const answer = await this.#source.fetchToken(this.#clock());
    if (answer.kind === 'refused') throw new TokenRefused(answer.outcome);
    return answer.token;
  }

  #isFresh(token: ProviderToken | null): boolean {
    return token !== null && this.#leftMs(token) > RENEW_BEFORE_END_MS;
  }

  #leftMs(token: ProviderToken): number {
    return token.expiresAt.getTime() - this.#clock().getTime();
  }
}
