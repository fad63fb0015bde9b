import { randomBytes } from 'node:crypto';

interface Grant {
  readonly clientEmail: string;
  readonly expiresAtMs: number;
}

const LIFETIME_SECONDS = 3599;
const MAX_TOKENS = 10_000;

/** The access tokens that the simulated OAuth server has issued and not taken back. */
export class AccessTokens {
  readonly #grants = new Map<string, Grant>();
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** Issues a token, valid for just under an hour. */
  issue(clientEmail: string): { readonly accessToken: string; readonly expiresInSeconds: number } {
    const accessToken = `ya29.${randomBytes(48).toString('base64url')}`;
    const [oldest] = this.#grants.keys();
    if (this.#grants.size >= MAX_TOKENS && oldest !== undefined) this.#grants.delete(oldest);
    const expiresAtMs = this.#clock() + LIFETIME_SECONDS * 1000;
    this.#grants.set(accessToken, { clientEmail, expiresAtMs });
    return { accessToken, expiresInSeconds: LIFETIME_SECONDS };
  }

  /** Whose token it is; null when it is unknown, revoked or expired. */
  ownerOf(accessToken: string): string | null {
    const grant = this.#grants.get(accessToken);
    return grant === undefined || grant.expiresAtMs <= this.#clock() ? null : grant.clientEmail;
  }

  revokeAll(): void {
    this.#grants.clear();
  }
}
