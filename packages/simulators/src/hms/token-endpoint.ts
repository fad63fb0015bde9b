import type { AccessTokens } from '../access-tokens.ts';
import type { Answer } from '../answer.ts';
import { oauthError } from './answers.ts';
import type { HmsApp } from './app.ts';

export interface TokenRequest {
  readonly method: string;
  readonly contentType: string;
  readonly body: string;
}

const FORM = 'application/x-www-form-urlencoded';

/** What is wrong with a request for a token; null when one may be issued. */
export function examineTokenRequest(
  { method, contentType, body }: TokenRequest,
  apps: readonly HmsApp[],
): Answer | null {
  if (method !== 'POST') return oauthError(405, 1100, 'invalid request method');
  if (!contentType.startsWith(FORM)) return oauthError(400, 1102, 'invalid content type');
  const form = new URLSearchParams(body);
  if (form.get('grant_type') !== 'client_credentials') {
    return oauthError(400, 1102, 'invalid grant_type');
  }
  const isKnown = apps.some(
    ({ clientId, clientSecret }) =>
      clientId === form.get('client_id') && clientSecret === form.get('client_secret'),
  );
  return isKnown ? null : oauthError(400, 1101, 'invalid client');
}

/** Issues a token for an examined request. */
export function issueToken({ body }: TokenRequest, tokens: AccessTokens): Answer {
  const clientId = new URLSearchParams(body).get('client_id') ?? '';
  const { accessToken, expiresInSeconds } = tokens.issue(clientId);
  return {
    status: 200,
    reason: null,
    headers: { 'content-type': 'application/json; charset=UTF-8' },
    body: JSON.stringify({
      access_token: accessToken,
      expires_in: expiresInSeconds,
      token_type: 'Bearer',
    }),
  };
}
