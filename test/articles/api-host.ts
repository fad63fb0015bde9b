import diagnostics from 'node:diagnostics_channel';
import { Agent, buildConnector, getGlobalDispatcher, setGlobalDispatcher } from 'undici';
import type { Network } from '../network.ts';

/** The host that the article's code calls. */
export const API_HOST = 'api.myapp.com';
/** What the server's certificate has to name: that host, and the address that tests use. */
export const API_NAMES = [API_HOST, '127.0.0.1'] as const;

/** An answer that the article's code got, which it mostly does not look at. */
export interface SeenAnswer {
  readonly request: string;
  readonly status: number;
}

export interface ApiHost extends AsyncDisposable {
  /** Answers to requests to the host, oldest first. */
  readonly answers: readonly SeenAnswer[];
}

interface HeadersMessage {
  readonly request: { readonly origin: string; readonly method: string; readonly path: string };
  readonly response: { readonly statusCode: number };
}

/**
 * Puts a network behind the article's host name. `fetch` stays the platform's own: only where it
 * dials and whom it trusts is changed, with TLS and the host's name verified as ever.
 */
export function serveAsApiHost(network: Network): ApiHost {
  const before = getGlobalDispatcher();
  const { port } = new URL(network.url);
  const connector = buildConnector({ ca: network.authority.certificatePem });
  const agent = new Agent({
    connect(options, callback) {
      const dialled =
        options.hostname === API_HOST
          ? { ...options, hostname: '127.0.0.1', port, servername: API_HOST }
          : options;
      connector(dialled, callback);
    },
  });
  const answers: SeenAnswer[] = [];
  const note = (message: unknown): void => {
    const { request, response } = message as HeadersMessage;
    if (request.origin !== `https://${API_HOST}`) return;
    answers.push({ request: `${request.method} ${request.path}`, status: response.statusCode });
  };
  diagnostics.subscribe('undici:request:headers', note);
  setGlobalDispatcher(agent);
  return {
    answers,
    async [Symbol.asyncDispose]() {
      setGlobalDispatcher(before);
      diagnostics.unsubscribe('undici:request:headers', note);
      await agent.close();
    },
  };
}
