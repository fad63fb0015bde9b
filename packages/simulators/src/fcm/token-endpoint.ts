import { createPublicKey, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { AccessTokens } from '../access-tokens.ts';
import type { Answer } from '../answer.ts';
import { readJsonWebToken } from '../json-web-token.ts';
import type { JsonWebToken } from '../json-web-token.ts';
import { oauthError } from './answers.ts';
import type { ServiceAccount } from './service-account.ts';

export interface TokenRequest {
  readonly method: string;
  readonly contentType: string;
  readonly body: string;
  /** The addresses that this endpoint goes by, one of which the assertion must be made for. */
  readonly audiences: ReadonlySet<string>;
  readonly nowMs: number;
}

const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const FORM = 'application/x-www-form-urlencoded';
const SCOPES = new Set([
  'https://www.googleapis.com/auth/firebase.messaging',
  'https://www.googleapis.com/auth/cloud-platform',
]);
const MAX_LIFETIME_SECONDS = 3600;
// Google forgives a few minutes of difference between clocks; how many is not documented.
const CLOCK_TOLERANCE_SECONDS = 300;

/** Google's OAuth 2 token endpoint for service accounts (RFC 7523 section 2.1). */
export class TokenEndpoint {
  readonly #tokens: AccessTokens;
  readonly #accounts: ReadonlyMap<string, readonly KnownKey[]>;

  constructor(accounts: readonly ServiceAccount[], tokens: AccessTokens) {
    this.#tokens = tokens;
    this.#accounts = Map.groupBy(
      accounts.map(({ clientEmail, privateKeyId, publicKeyPem }) => ({
        clientEmail,
        privateKeyId,
        publicKey: createPublicKey(publicKeyPem),
      })),
      ({ clientEmail }) => clientEmail,
    );
  }

  /** What is wrong with the request; null when a token may be issued for it. */
  examine(request: TokenRequest): Answer | null {
    if (request.method !== 'POST') {
      return oauthError(405, 'invalid_request', 'Only POST is allowed.');
    }
    if (!request.contentType.startsWith(FORM)) {
      return oauthError(400, 'invalid_request', `The content type must be ${FORM}.`);
    }
    const form = new URLSearchParams(request.body);
    if (form.get('grant_type') !== GRANT_TYPE) {
      const given = form.get('grant_type') ?? '';
      return oauthError(400, 'unsupported_grant_type', `Invalid grant_type: ${given}`);
    }
    const assertion = readJsonWebToken(form.get('assertion') ?? '');
    if (assertion === null) {
      return oauthError(400, 'invalid_grant', 'Invalid JWT: Failed to parse the assertion.');
    }
    return this.#examineAssertion(assertion, request);
  }

  /** Issues a token for an examined request. */
  issue(request: TokenRequest): Answer {
    const assertion = readJsonWebToken(new URLSearchParams(request.body).get('assertion') ?? '');
    const { accessToken, expiresInSeconds } = this.#tokens.issue(String(assertion?.claims.iss));
    return {
      status: 200,
      reason: null,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify({
        access_token: accessToken,
        expires_in: expiresInSeconds,
        token_type: 'Bearer',
      }),
    };
  }

  #examineAssertion(assertion: JsonWebToken, { audiences, nowMs }: TokenRequest): Answer | null {
    const { header, claims } = assertion;
    const keys = this.#accounts.get(String(claims.iss));
    if (keys === undefined) return invalidGrant('Invalid grant: account not found');
    if (!isSigned(assertion, keys)) return invalidGrant('Invalid JWT Signature.');
    if (header.typ !== undefined && header.typ !== 'JWT') {
      return invalidGrant('Invalid JWT: Unexpected type.');
    }
    if (!audiences.has(String(claims.aud))) {
      return invalidGrant('Invalid JWT: Failed audience check.');
    }
    if (!isTimely(claims, nowMs)) {
      return invalidGrant(
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable ' +
          'timeframe. Check your iat and exp values in the JWT claim.',
      );
    }
    const scopes = typeof claims.scope === 'string' ? claims.scope.split(' ') : [];
    return scopes.some((scope) => SCOPES.has(scope))
      ? null
      : oauthError(400, 'invalid_scope', 'Invalid OAuth scope or ID token audience provided.');
  }
}

interface KnownKey {
  readonly clientEmail: string;
  readonly privateKeyId: string;
  readonly publicKey: KeyObject;
}

/** The key id is advisory: without one, any of the account's keys will do. */
function isSigned({ header, signed, signature }: JsonWebToken, keys: readonly KnownKey[]): boolean {
  if (header.alg !== 'RS256') return false;
  return keys
    .filter(({ privateKeyId }) => header.kid === undefined || header.kid === privateKeyId)
    .some(({ publicKey }) => verify('sha256', signed, publicKey, signature));
}

function isTimely({ iat, exp }: JsonWebToken['claims'], nowMs: number): boolean {
  if (typeof iat !== 'number' || typeof exp !== 'number') return false;
  const nowSeconds = nowMs / 1000;
  return (
    exp > iat &&
    exp - iat <= MAX_LIFETIME_SECONDS &&
    exp > nowSeconds - CLOCK_TOLERANCE_SECONDS &&
    iat < nowSeconds + CLOCK_TOLERANCE_SECONDS
  );
}

function invalidGrant(description: string): Answer {
  return oauthError(400, 'invalid_grant', description);
}
