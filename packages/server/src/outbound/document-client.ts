import { Agent, request, type Dispatcher } from 'undici';
import { LIMITS } from '../domain/limits.ts';
import { parseOutboundUrl, type AllowedHosts } from '../domain/outbound-url.ts';
import { freshSecondsOf } from './fresh-seconds.ts';
import { guardedConnector } from './guarded-connector.ts';
import { resolveAll, type Resolve } from './public-lookup.ts';

export type FetchedDocument =
  | {
      readonly kind: 'fetched';
      readonly text: string;
      /** From Cache-Control, less the Age; null when the answer says nothing. */
      readonly freshSeconds: number | null;
    }
  /** Says what went wrong in a form that may be shown; never what the other side answered. */
  | { readonly kind: 'failed'; readonly why: string };

export interface DocumentClientOptions {
  readonly allowed: AllowedHosts;
  readonly ca: string | null;
  /** Default: as the system does. */
  readonly resolve?: Resolve;
}

/** Gets documents from addresses that an app's owner chose, and from nowhere inside our network. */
export class DocumentClient {
  readonly #allowed: AllowedHosts;
  readonly #agent: Agent;

  constructor({ allowed, ca, resolve = resolveAll }: DocumentClientOptions) {
    this.#allowed = allowed;
    this.#agent = new Agent({
      connect: guardedConnector({ allowed, resolve, ca }),
      // What was asked for once an hour need not keep a connection.
      keepAliveTimeout: 1_000,
      pipelining: 1,
    });
  }

  /** Why an address may not be asked, or null. */
  refuse(text: string): string | null {
    const parsed = parseOutboundUrl(text, this.#allowed);
    return parsed.kind === 'refused' ? parsed.why : null;
  }

  /** One GET without redirects; the body at most so long, everything within five seconds. */
  async fetch(text: string, maxBytes: number): Promise<FetchedDocument> {
    const parsed = parseOutboundUrl(text, this.#allowed);
    if (parsed.kind === 'refused') return failed(`the address ${parsed.why}`);
    try {
      const answer = await request(parsed.url, {
        dispatcher: this.#agent,
        headers: { accept: 'application/json' },
        signal: AbortSignal.timeout(LIMITS.outboundMs),
      });
      return await readAnswer(answer, maxBytes);
    } catch (error) {
      return failed(reasonOf(error));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }
}

async function readAnswer(
  answer: Dispatcher.ResponseData,
  maxBytes: number,
): Promise<FetchedDocument> {
  if (answer.statusCode !== 200) {
    // Unread, it ends with an error that is of interest to nobody.
    answer.body.on('error', () => {}).destroy();
    return failed(`the answer was ${answer.statusCode} instead of 200`);
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    // Leaving the loop closes the connection.
    if (bytes > maxBytes) return failed(`the answer is longer than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  return { kind: 'fetched', text, freshSeconds: freshSecondsOf(answer.headers) };
}

function failed(why: string): FetchedDocument {
  return { kind: 'failed', why };
}

/** A code, or the kind of error; texts of TLS errors may repeat what the other side sent. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'PrivateAddressError') return error.message;
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
