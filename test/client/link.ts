import type {
  ClientAnswer,
  ClientRequest,
  Transport,
} from '../../packages/client/src/core/ports.ts';
import type { Route } from '../device.ts';

/** A request as it left the phone, and what came back; null for nothing. */
export interface Exchange {
  readonly request: ClientRequest;
  readonly status: number | null;
}

/** Answers a request, or lets it through by calling `send`. */
export type Detour = (
  request: ClientRequest,
  send: () => Promise<ClientAnswer | null>,
) => Promise<ClientAnswer | null>;

/** The way from a phone to the servers: real requests, which tests can hold up and lose. */
export class Link {
  readonly #route: Route;
  readonly #exchanges: Exchange[] = [];
  /** Without a network nothing leaves the phone. */
  isDown = false;
  /** Applied to each request that leaves; null for a good network. */
  detour: Detour | null = null;

  constructor(route: Route | string) {
    this.#route = typeof route === 'string' ? () => route : route;
  }

  /** Everything that left the phone, in order. */
  get exchanges(): readonly Exchange[] {
    return this.#exchanges;
  }

  /** `PUT /v1/…`, without the installation's id; sequences stay. */
  get lines(): readonly string[] {
    return this.#exchanges.map(({ request: { method, path } }) =>
      `${method} ${path.replace(/^\/v1\/installations\/[^/]+/, '')}`.trimEnd(),
    );
  }

  /** The server hears the next request, and the phone does not hear the answer. */
  loseNextAnswer(): void {
    this.detour = async (_request, send) => {
      this.detour = null;
      await send();
      return null;
    };
  }

  readonly transport: Transport = async (request, signal) => {
    if (this.isDown) return null;
    const send = (): Promise<ClientAnswer | null> => this.#send(request, signal);
    const index = this.#exchanges.push({ request, status: null }) - 1;
    const answer = await (this.detour?.(request, send) ?? send());
    this.#exchanges[index] = { request, status: answer?.status ?? null };
    return answer;
  };

  async #send(
    { method, path, headers, body }: ClientRequest,
    signal: AbortSignal,
  ): Promise<ClientAnswer | null> {
    try {
      const response = await fetch(`${this.#route()}${path}`, { method, headers, body, signal });
      const text = await response.text();
      const header = (name: string): string | null => response.headers.get(name);
      return { status: response.status, header, body: text };
    } catch {
      return null;
    }
  }
}
