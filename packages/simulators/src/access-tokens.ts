import { randomBytes } from 'node:crypto';

interface Grant {
  readonly owner: string;
  readonly expiresAtMs: number;
}

export interface AccessTokensOptions {
  /** What every token begins with. */
  readonly prefix: string;
  readonly lifetimeSeconds: number;
  readonly clock: () => number;
}

const MAX_TOKENS = 10_000;

/** The access tokens that a simulated OAuth server has issued and not taken back. */
export class AccessTokens {
  readonly #grants = new Map<string, Grant>();
  readonly #options: AccessTokensOptions;

  constructor(options: AccessTokensOptions) {
    this.#options = options;
  }

  /** Issues a token to whoever has shown to be this account or client. */
  issue(owner: string): { readonly accessToken: string; readonly expiresInSeconds: number } {
    const { prefix, lifetimeSeconds, clock } = this.#options;
    const accessToken = `${prefix}${randomBytes(48).toString('base64url')}`;
    const [oldest] = this.#grants.keys();
    if (this.#grants.size >= MAX_TOKENS && oldest !== undefined) this.#grants.delete(oldest);
    const expiresAtMs = clock() + lifetimeSeconds * 1000;
    this.#grants.set(accessToken, { owner, expiresAtMs });
    return { accessToken, expiresInSeconds: lifetimeSeconds };
  }

  /** Whose token it is; null when it is unknown, revoked or expired. */
  ownerOf(accessToken: string): string | null {
    const grant = this.#grants.get(accessToken);
    if (grant === undefined || grant.expiresAtMs <= this.#options.clock()) return null;
    return grant.owner;
  }

  /** Whether it was issued once, and neither revoked nor forgotten, but its time is over. */
  hasExpired(accessToken: string): boolean {
    return this.#grants.has(accessToken) && this.ownerOf(accessToken) === null;
  }

  revokeAll(): void {
    this.#grants.clear();
  }
}
