import type { ClientRequest, Transport } from '../core/ports.ts';

/** What is used of `fetch`. */
export type Fetch = (url: string, request: FetchRequest) => Promise<FetchAnswer>;

export interface FetchRequest extends Pick<ClientRequest, 'method' | 'body'> {
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
  readonly redirect: 'error';
  readonly credentials: 'omit';
}

export interface FetchAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}

/**
 * Requests over the app's `fetch`. `baseUrl` is where the server is, without a path of its own. An
 * answer that breaks off counts as none. So does a redirect where `fetch` can tell: it would take
 * the installation secret along. React Native's own follows it, so that a server behind one is to
 * be named by where it leads.
 */
export function createFetchTransport(baseUrl: string, fetch: Fetch): Transport {
  const base = baseUrl.replace(/\/+$/, '');
  return async ({ path, method, body, headers }, signal) => {
    const own = { signal, redirect: 'error', credentials: 'omit' } as const;
    try {
      const answer = await fetch(base + path, { method, body, headers: { ...headers }, ...own });
      const text = await answer.text();
      return { status: answer.status, header: (name) => answer.headers.get(name), body: text };
    } catch {
      return null;
    }
  };
}
