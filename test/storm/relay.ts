import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../seeded-random.ts';

/** How bad the network is. */
export interface Weather {
  /** Each transmission takes from nothing up to this long, so that later ones overtake. */
  readonly longestDelayMs: number;
  /** The share of requests whose connection breaks, before the request or before its answer. */
  readonly resets: number;
  /** The share of requests that arrive twice. */
  readonly duplicates: number;
}

export interface RelayOptions {
  readonly weather: Weather;
  readonly random: SeededRandom;
  /** Base URL of a server to try. */
  readonly target: () => string;
}

export interface RelayCounts {
  readonly requests: number;
  readonly resets: number;
  readonly duplicates: number;
}

const CALM: Weather = { longestDelayMs: 0, resets: 0, duplicates: 0 };
/** Those that belong to one connection, which the relay makes anew. */
const HOP_HEADERS = new Set(['connection', 'content-length', 'host', 'transfer-encoding']);

/** The network between phones and servers: every request has a fate of its own. */
export class Relay implements AsyncDisposable {
  readonly #options: RelayOptions;
  readonly #server: Server;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #counts = { requests: 0, resets: 0, duplicates: 0 };
  #weather: Weather;

  /** Listens nowhere yet; see `startRelay`. */
  constructor(options: RelayOptions) {
    this.#options = options;
    this.#weather = options.weather;
    this.#server = createServer((request, response) => {
      void this.#follow(this.#carry(request, response));
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get counts(): RelayCounts {
    return { ...this.#counts };
  }

  /** From now on everything arrives once and at once; resolves when nothing is late any more. */
  async calm(): Promise<void> {
    this.#weather = CALM;
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await Promise.allSettled(this.#underWay);
  }

  async #carry(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { resets, duplicates } = this.#weather;
    const { random } = this.#options;
    this.#counts.requests += 1;
    const body = await buffer(request);
    const [isLost, isAnswerLost] = [random.chance(resets / 2), random.chance(resets / 2)];
    if (isLost || isAnswerLost) this.#counts.resets += 1;
    if (random.chance(duplicates)) {
      this.#counts.duplicates += 1;
      void this.#follow(this.#transmit(request, body));
    }
    const answer = isLost ? null : await this.#transmit(request, body).catch(() => null);
    if (answer === null || isAnswerLost) {
      response.destroy();
      return;
    }
    const contentType = answer.headers.get('content-type');
    response.writeHead(answer.status, contentType === null ? {} : { 'content-type': contentType });
    response.end(Buffer.from(await answer.arrayBuffer()));
  }

  async #transmit(request: IncomingMessage, body: Buffer): Promise<Response> {
    await delay(this.#options.random.next() * this.#weather.longestDelayMs);
    const headers = Object.entries(request.headers).filter(([name]) => !HOP_HEADERS.has(name));
    return fetch(`${this.#options.target()}${request.url}`, {
      method: request.method ?? 'GET',
      headers: headers.map(([name, value]) => [name, String(value)] as [string, string]),
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
  }

  #follow(work: Promise<unknown>): Promise<unknown> {
    const settled = work.catch(() => null).finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
    return settled;
  }
}

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const relay = new Relay(options);
  await relay.listen();
  return relay;
}
