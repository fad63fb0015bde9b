import type { TokenSource } from '../bearer-token.ts';
import { TokenExchange, type ExchangeAnswer } from '../token-exchange.ts';
import { revealSecret } from '../secret-text.ts';
import { classifyOAuthRefusal } from './oauth-reasons.ts';
import type { HmsClient, HmsEndpoints } from './settings.ts';

/** Huawei's token endpoint as one OAuth client uses it (RFC 6749 section 4.4). */
export class TokenEndpoint implements TokenSource, AsyncDisposable {
  readonly #client: HmsClient;
  readonly #exchange: TokenExchange;

  constructor(client: HmsClient, { token: url, ca }: HmsEndpoints, timeoutMs: number) {
    this.#client = client;
    this.#exchange = new TokenExchange({ url, ca, timeoutMs, classify: classifyOAuthRefusal });
  }

  /** Trades the client's secret for an access token. */
  async fetchToken(now: Date): Promise<ExchangeAnswer> {
    const { clientId: client_id, clientSecret } = this.#client;
    const client_secret = revealSecret(clientSecret);
    return this.#exchange.trade(
      { grant_type: 'client_credentials', client_id, client_secret },
      now,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#exchange[Symbol.asyncDispose]();
  }
}
