import { SignJWT } from 'jose';
import type { TokenSource } from '../bearer-token.ts';
import { TokenExchange, type ExchangeAnswer } from '../token-exchange.ts';
import { classifyOAuthRefusal } from './oauth-reasons.ts';
import type { FcmEndpoints, FcmSettings } from './settings.ts';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Google's ceiling for the life of an assertion. */
const ASSERTION_SECONDS = 3600;

/** Google's token endpoint as one service account uses it (RFC 7523). */
export class TokenEndpoint implements TokenSource, AsyncDisposable {
  readonly #settings: FcmSettings;
  readonly #url: string;
  readonly #exchange: TokenExchange;

  constructor(settings: FcmSettings, { token: url, ca }: FcmEndpoints, timeoutMs: number) {
    this.#settings = settings;
    this.#url = url;
    this.#exchange = new TokenExchange({ url, ca, timeoutMs, classify: classifyOAuthRefusal });
  }

  /** Trades a freshly signed assertion for an access token. */
  async fetchToken(now: Date): Promise<ExchangeAnswer> {
    const assertion = await this.#assertion(now);
    return this.#exchange.trade({ grant_type: GRANT_TYPE, assertion }, now);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exchange[Symbol.asyncDispose]();
  }

  #assertion(now: Date): Promise<string> {
    const { clientEmail, privateKeyId, signingKey } = this.#settings;
    const issuedAtSeconds = Math.floor(now.getTime() / 1000);
    return new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: privateKeyId })
      .setIssuer(clientEmail)
      .setAudience(this.#url)
      .setIssuedAt(issuedAtSeconds)
      .setExpirationTime(issuedAtSeconds + ASSERTION_SECONDS)
      .sign(signingKey);
  }
}
