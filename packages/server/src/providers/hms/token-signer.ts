import { SignJWT } from 'jose';
import type { TokenSource } from '../bearer-token.ts';
import type { ExchangeAnswer } from '../token-exchange.ts';
import { HMS_ENDPOINTS, type HmsServiceAccount } from './settings.ts';

/** Huawei's ceiling for the life of such a token. */
const LIFETIME_SECONDS = 3600;

/**
 * A service account's own signature, which Push Kit takes in place of an access token (Huawei,
 * "Generating an authentication token based on a service account").
 */
export class TokenSigner implements TokenSource {
  readonly #account: HmsServiceAccount;

  constructor(account: HmsServiceAccount) {
    this.#account = account;
  }

  async fetchToken(now: Date): Promise<ExchangeAnswer> {
    const { keyId, subAccount, signingKey } = this.#account;
    const issuedAtSeconds = Math.floor(now.getTime() / 1000);
    const expiresAtSeconds = issuedAtSeconds + LIFETIME_SECONDS;
    const value = await new SignJWT()
      .setProtectedHeader({ alg: 'PS256', typ: 'JWT', kid: keyId })
      .setIssuer(subAccount)
      .setAudience(HMS_ENDPOINTS.token)
      .setIssuedAt(issuedAtSeconds)
      .setExpirationTime(expiresAtSeconds)
      .sign(signingKey);
    const expiresAt = new Date(expiresAtSeconds * 1000);
    return { kind: 'token', token: { value, issuedAt: now, expiresAt }, date: null };
  }
}
