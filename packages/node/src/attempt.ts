import type { Problem } from '@homing/protocol';
import type { Call } from './call.ts';
import { HomingError, type HomingErrorFacts } from './homing-error.ts';
import type { Settings } from './settings.ts';

/** What became of one request. */
export type Attempt<T> = { readonly kind: 'answer'; readonly value: T } | Failure;

export interface Failure {
  readonly kind: 'failure';
  readonly error: HomingError;
  /** How long the server wants to be left alone; null where it did not say. */
  readonly retryAfterMs: number | null;
}

/** A POST that is redirected would become a GET, and a key go to who knows where. */
const WHOLE: RequestInit = { redirect: 'manual' };
/**
 * For a redirection that might come, Node's `fetch` keeps all that is streamed, in memory, unless
 * both of these tell it that none is followed and nobody else looks at the request.
 */
const STREAMED: RequestInit = { redirect: 'error', window: null, duplex: 'half' };

/**
 * Sends a request once and reads its answer. Rejects only by the caller's own signal, with its
 * reason. The time is up when `read` resolves; what it hands on, as a stream, ends by the signal.
 */
export async function attemptCall<T>(
  { fetch, secretKey }: Settings,
  call: Call,
  timeoutMs: number,
  read: (response: Response, call: Call) => Promise<T>,
): Promise<Attempt<T>> {
  const { method, url, headers, content, signal } = call;
  const clock = new AbortController();
  const end = new AbortController();
  const timer = setTimeout(() => clock.abort(), timeoutMs);
  try {
    const body = content.open(end.signal);
    const response = await fetch(url, {
      method,
      headers,
      ...(body instanceof ReadableStream ? STREAMED : WHOLE),
      body,
      signal: signal === undefined ? clock.signal : AbortSignal.any([signal, clock.signal]),
    });
    if (response.ok) return { kind: 'answer', value: await read(response, call) };
    return await refusalOf(response, call);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof HomingError) return { kind: 'failure', error, retryAfterMs: null };
    const facts = clock.signal.aborted
      ? { code: 'timed_out' as const, detail: `no answer within ${Math.round(timeoutMs)} ms` }
      : { code: 'no_answer' as const, detail: storyOf(error).replaceAll(secretKey, 'hmg_sk_…') };
    return { kind: 'failure', error: callError(call, facts), retryAfterMs: null };
  } finally {
    clearTimeout(timer);
    end.abort();
  }
}

/** An error about a call; what is left out was not in any answer. */
export function callError(
  { requestId, idempotencyKey }: Call,
  facts: Pick<HomingErrorFacts, 'code' | 'detail'> & Partial<HomingErrorFacts>,
): HomingError {
  return new HomingError({ status: null, problem: null, requestId, idempotencyKey, ...facts });
}

async function refusalOf(response: Response, call: Call): Promise<Failure> {
  const { status, headers } = response;
  const retryAfterMs = parseRetryAfter(headers.get('retry-after'), Date.now());
  const requestId = headers.get('x-request-id') ?? call.requestId;
  const problem = parseProblem(headers.get('content-type') ?? '', await response.text());
  const facts =
    problem === null
      ? { code: 'unexpected_answer' as const, detail: strangerText(response) }
      : // A newer server may have codes that this version does not know.
        { code: problem.code as HomingErrorFacts['code'], detail: problem.detail };
  const error = callError(call, { ...facts, status, requestId, problem });
  return { kind: 'failure', error, retryAfterMs };
}

function parseProblem(contentType: string, text: string): Problem | null {
  if (!contentType.startsWith('application/problem+json')) return null;
  try {
    const value = JSON.parse(text) as Problem | null;
    return typeof value?.code === 'string' && typeof value.detail === 'string' ? value : null;
  } catch {
    return null;
  }
}

function strangerText({ status, headers }: Response): string {
  const target = headers.get('location');
  const where = target === null ? '' : `, which leads to ${target}`;
  return `HTTP ${status}${where}, and not from Homing: does baseUrl lead to its API?`;
}

/** Whole seconds or a date (RFC 9110, 10.2.3) as milliseconds from now; null for anything else. */
function parseRetryAfter(value: string | null, nowMs: number): number | null {
  if (value === null) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs);
}

/** How deep the causes of an error are followed. */
const MAX_CAUSES = 5;

/** The messages of an error and its causes; `fetch failed` alone says nothing. */
function storyOf(error: unknown): string {
  const messages: string[] = [];
  let at = error;
  while (at instanceof Error && messages.length < MAX_CAUSES) {
    const code = 'code' in at && typeof at.code === 'string' ? at.code : '';
    messages.push(at.message === '' ? code : at.message);
    at = at.cause;
  }
  return messages.length === 0 ? String(error) : messages.join(': ');
}
