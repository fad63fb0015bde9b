import { Agent, fetch } from 'undici';
import type { Response } from 'undici';
import type { Outcome } from '../domain/outcome.ts';
import { parseJsonObject } from './json-object.ts';
import type { ProviderToken } from './provider-token-store.ts';
import { parseRetryAfterMs } from './retry-after.ts';

/** A token answer has a few kilobytes; whoever sends more is not to fill our memory. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** What a token endpoint answered instead of a token. */
export interface OAuthAnswer {
  readonly status: number;
  readonly body: string;
  readonly retryAfterMs: number | null;
}

/** What came of an exchange, with what helps to find out why. */
export type ExchangeAnswer = (
  | { readonly kind: 'token'; readonly token: ProviderToken }
  | {
      readonly kind: 'refused';
      readonly outcome: Outcome;
      /** The endpoint's words, or why there is no answer; null for an answer without any. */
      readonly description: string | null;
    }
) & {
  /** The `Date` field of the answer; null without one. */
  readonly date: string | null;
};

export interface TokenExchangeOptions {
  readonly url: string;
  /** PEM certificates to trust instead of the system's. */
  readonly ca: string | null;
  readonly timeoutMs: number;
  /** The outcome, `auth` or `transient`, that every push has while the endpoint answers so. */
  readonly classify: (refusal: OAuthAnswer) => Outcome;
}

/** An OAuth token endpoint: a form goes in, an access token comes out (RFC 6749 section 5). */
export class TokenExchange implements AsyncDisposable {
  readonly #options: TokenExchangeOptions;
  readonly #agent: Agent;

  constructor(options: TokenExchangeOptions) {
    this.#options = options;
    this.#agent = new Agent({ connect: options.ca === null ? {} : { ca: options.ca } });
  }

  /** Trades what the form says for an access token. Never rejects. */
  async trade(form: Readonly<Record<string, string>>, now: Date): Promise<ExchangeAnswer> {
    const { url, timeoutMs } = this.#options;
    try {
      const response = await fetch(url, {
        method: 'POST',
        dispatcher: this.#agent,
        body: new URLSearchParams(form),
        // A redirect would carry the form to an address that nobody has approved.
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      });
      return this.#read(response, await readCapped(response), now);
    } catch (error) {
      return refusedTransiently('token_endpoint_unreachable', { description: causeOf(error) });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  #read({ status, headers }: Response, body: string, now: Date): ExchangeAnswer {
    const date = headers.get('date');
    if (status === 200) return readToken(body, date, now);
    const retryAfterMs = parseRetryAfterMs(headers.get('retry-after') ?? undefined, now);
    const outcome = this.#options.classify({ status, body, retryAfterMs });
    const said = parseJsonObject(body)?.['error_description'];
    return { kind: 'refused', outcome, description: typeof said === 'string' ? said : null, date };
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
): ExchangeAnswer {
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

function readToken(body: string, date: string | null, now: Date): ExchangeAnswer {
  const answer = parseJsonObject(body);
  const value = answer?.['access_token'];
  const expiresInSeconds = answer?.['expires_in'];
  // What does not fit a header field cannot be used, whoever sent it.
  const usable = typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
  if (!usable || typeof expiresInSeconds !== 'number' || !(expiresInSeconds > 0)) {
    return refusedTransiently('token_answer_unreadable', { status: 200, date });
  }
  const expiresAt = new Date(now.getTime() + expiresInSeconds * 1000);
  return { kind: 'token', token: { value, issuedAt: now, expiresAt }, date };
}
