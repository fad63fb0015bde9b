import type { Transport } from '../core/ports.ts';

/**
 * Requests by `fetch`, without cookies. A logout outlives its page, since people close the tab
 * after it.
 */
export function createFetchTransport(baseUrl: string): Transport {
  return async ({ method, path, headers, body }, signal) => {
    try {
      const request: RequestInit = {
        method,
        headers,
        body,
        signal,
        cache: 'no-store',
        credentials: 'omit',
        keepalive: method === 'DELETE',
      };
      const answer = await fetch(baseUrl + path, request);
      const text = await answer.text();
      return { status: answer.status, header: (name) => answer.headers.get(name), body: text };
    } catch {
      return null;
    }
  };
}
