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
  /** The share of requests whose connection breaks: before the request, on its way, or after. */
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

export const CALM: Weather = { longestDelayMs: 0, resets: 0, duplicates: 0 };
/** Those that belong to one connection, which the relay makes anew. */
const HOP_HEADERS = new Set([
  'connection',
  'content-length',
  'date',
  'host',
  'keep-alive',
  'transfer-encoding',
]);

interface CarriedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

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

  /** From now on; what is under way keeps the fate that it has. */
  turn(weather: Weather): void {
    this.#weather = weather;
  }

  /** From now on everything arrives once and at once; resolves when nothing is late any more. */
  async calm(): Promise<void> {
    this.turn(CALM);
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
    if (isAnswerLost && random.chance(0.5)) {
      // The phone learns of it before the request arrives, which then comes after newer ones.
      response.destroy();
      await this.#transmit(request, body);
      return;
    }
    const answer = isLost ? null : await this.#transmit(request, body).catch(() => null);
    if (answer === null || isAnswerLost) {
      response.destroy();
      return;
    }
    response.writeHead(answer.status, answer.headers).end(answer.body);
  }

  /** Reads the answer whole, also where nobody waits for it: its connection is free again then. */
  async #transmit(request: IncomingMessage, body: Buffer): Promise<CarriedAnswer> {
    await delay(this.#options.random.next() * this.#weather.longestDelayMs);
    const answer = await fetch(`${this.#options.target()}${request.url}`, {
      method: request.method ?? 'GET',
      headers: withoutHopHeaders(
        Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
      ),
      ...(body.length > 0 && { body: new Uint8Array(body) }),
    });
    return {
      status: answer.status,
      headers: withoutHopHeaders(answer.headers),
      body: Buffer.from(await answer.arrayBuffer()),
    };
  }

  #follow(work: Promise<unknown>): Promise<unknown> {
    const settled = work.catch(() => null).finally(() => this.#underWay.delete(settled));
    this.#underWay.add(settled);
    return settled;
  }
}

function withoutHopHeaders(headers: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries([...headers].filter(([name]) => !HOP_HEADERS.has(name)));
}

export async function startRelay(options: RelayOptions): Promise<Relay> {
  const relay = new Relay(options);
  await relay.listen();
  return relay;
}
