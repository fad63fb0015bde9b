import { SignJWT } from 'jose';
import { Agent, fetch } from 'undici';
import type { Response } from 'undici';
import type { Outcome } from '../../domain/outcome.ts';
import { parseJsonObject } from '../json-object.ts';
import type { ProviderToken } from '../provider-token-store.ts';
import { parseRetryAfterMs } from '../retry-after.ts';
import { classifyOAuthRefusal } from './oauth-reasons.ts';
import type { FcmEndpoints, FcmSettings } from './settings.ts';

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging';
const GRANT_TYPE = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/** Google's ceiling for the life of an assertion. */
const ASSERTION_SECONDS = 3600;

const MAX_ANSWER_BYTES = 64 * 1024;

export type TokenAnswer = (
  | { readonly kind: 'token'; readonly token: ProviderToken }
  | {
      readonly kind: 'refused';
      readonly outcome: Outcome;
      /** Google's words, or why there is no answer; null for an answer without any. */
      readonly description: string | null;
    }
) & {
  /** The `Date` field of the answer; null without one. */
  readonly date: string | null;
};

/** Google's token endpoint as one service account uses it (RFC 7523). */
export class TokenEndpoint implements AsyncDisposable {
  readonly #settings: FcmSettings;
  readonly #url: string;
  readonly #timeoutMs: number;
  readonly #agent: Agent;

  constructor(settings: FcmSettings, endpoints: FcmEndpoints, timeoutMs: number) {
    this.#settings = settings;
    this.#url = endpoints.token;
    this.#timeoutMs = timeoutMs;
    this.#agent = new Agent({ connect: endpoints.ca === null ? {} : { ca: endpoints.ca } });
  }

  /** Trades a freshly signed assertion for an access token. Never rejects. */
  async fetchToken(now: Date): Promise<TokenAnswer> {
    try {
      const assertion = await this.#assertion(now);
      const response = await fetch(this.#url, {
        method: 'POST',
        dispatcher: this.#agent,
        body: new URLSearchParams({ grant_type: GRANT_TYPE, assertion }),
        // A redirect would carry the assertion to an address that nobody has approved.
        redirect: 'error',
        signal: AbortSignal.timeout(this.#timeoutMs),
      });
      return readAnswer(response, await readCapped(response), now);
    } catch (error) {
      return refusedTransiently('token_endpoint_unreachable', { description: causeOf(error) });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
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

interface RefusalFacts {
  readonly status?: number;
  readonly description?: string | null;
  readonly date?: string | null;
}

function refusedTransiently(
  code: string,
  { status, description = null, date = null }: RefusalFacts,
): TokenAnswer {
  const outcome = { kind: 'transient', code, status: status ?? null, retryAfterMs: null } as const;
  return { kind: 'refused', outcome, description, date };
}

/** The system's error code, which undici hides in the cause; null where there is none. */
function causeOf(error: unknown): string | null {
  const cause = error instanceof Error ? (error.cause ?? error) : null;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : null;
}

async function readCapped(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    const bytes = chunk as Uint8Array;
    size += bytes.length;
    if (size > MAX_ANSWER_BYTES) throw new Error('The token endpoint sends too much.');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function readAnswer(response: Response, body: string, now: Date): TokenAnswer {
  const { status, headers } = response;
  const date = headers.get('date');
  const answer = parseJsonObject(body);
  if (status !== 200) {
    const retryAfterMs = parseRetryAfterMs(headers.get('retry-after') ?? undefined, now);
    const outcome = classifyOAuthRefusal({ status, body, retryAfterMs });
    const said = answer?.['error_description'];
    return { kind: 'refused', outcome, description: typeof said === 'string' ? said : null, date };
  }
  const value = answer?.['access_token'];
  const expiresInSeconds = answer?.['expires_in'];
  // What does not fit a header field cannot be used, whoever sent it.
  const usable = typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
  if (!usable || typeof expiresInSeconds !== 'number' || !(expiresInSeconds > 0)) {
    return refusedTransiently('token_answer_unreadable', { status, date });
  }
  const expiresAt = new Date(now.getTime() + expiresInSeconds * 1000);
  return { kind: 'token', token: { value, issuedAt: now, expiresAt }, date };
}
