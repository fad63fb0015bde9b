import type { ConnectionOptions } from './connection-options.ts';
import { Connection } from './connection.ts';
import type { Http2Request, Http2RequestOptions, Http2Result } from './exchange.ts';
import { openTlsSocket } from './tls-socket.ts';
import { WaitingLine, type WaitingRequest } from './waiting-line.ts';

export interface Http2PoolOptions extends ConnectionOptions {
  /**
   * How many connections may take requests at once; a further one is opened when all are full.
   */
  readonly maxConnections: number;
}

/**
 * A peer that refuses the same request this often is overloaded; the caller may come back later.
 */
const MAX_RESENDS = 3;

/** Less than the room of any connection that has room. */
const LAST_RESORT = 0.5;

/**
 * Whoever has less time left is not started: a turn of the event loop may pass before the bytes of
 * a request go out, and a connection on which they would go out too late has to be given up.
 */
const LEAST_LEFT_MS = 100;

/**
 * The pause after the nth failed connection in a row: 0.1 s doubling to 30 s, of which half is
 * random. None after the first that did open: its peer may have restarted just then.
 */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 30_000;

/**
 * A few HTTP/2 connections to one origin, and the only door to them.
 *
 * A request that finds room goes onto a stream at once; every other one waits here until there is
 * room, and can be taken back until then. Steps of its life:
 *
 * 1. `request` puts it on the connection with the most room, or into the line;
 * 2. `#pump` moves the line on when there may be room again, or has `#grow` open a connection;
 * 3. `#settle` hears what became of it, and lines it up again when the peer vouches not to have
 *    processed it;
 * 4. it leaves the line unsent when its time is up, its signal aborts, the pool closes, or there is
 *    neither a connection nor leave to try another one (the pause after a failed one).
 */
export class Http2Pool implements AsyncDisposable {
  readonly #options: Http2PoolOptions;
  readonly #connections = new Set<Connection>();
  readonly #line = new WaitingLine();
  #isDisposed = false;
  /** Connections that failed since one that was made later than they ended has answered. */
  #failures = 0;
  #failedAt = 0;
  #failure = '';
  #connectNotBefore = 0;

  constructor(options: Http2PoolOptions) {
    this.#options = options;
  }

  /** Sends once, resending only what was certainly not processed. Never rejects. */
  request(request: Http2Request, options: Http2RequestOptions): Promise<Http2Result> {
    return new Promise((resolve) => {
      const entry: WaitingRequest = {
        request,
        options,
        resolve,
        resends: 0,
        refusedBy: null,
        ahead: null,
        behind: null,
        isWaiting: false,
      };
      const connection = this.#line.size === 0 ? this.#roomiest(null) : null;
      if (connection === null || !isInTime(options)) this.#enqueue(entry);
      else this.#post(entry, connection);
    });
  }

  /** Lets the connection of an earlier answer finish and puts new requests on another one. */
  retire(connectionId: number): void {
    for (const connection of this.#connections) {
      if (connection.id === connectionId) connection.drain();
    }
  }

  /**
   * The same for every connection that ever carried this credential and is younger than given. Late
   * answers may ask for it again without harm: connections made since then have not carried it.
   */
  retireCarriers(authorization: string, youngerThanMs = Number.POSITIVE_INFINITY): void {
    for (const connection of this.#connections) {
      if (connection.ageMs < youngerThanMs && connection.carried(authorization)) connection.drain();
    }
  }

  /** Gives back what waits, awaits what is under way up to its deadline, closes the connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#line.giveAllBack('closed', 'the pool is closing');
    await Promise.all(Array.from(this.#connections, (connection) => connection.close()));
  }

  #enqueue(entry: WaitingRequest): void {
    this.#line.add(entry);
    if (this.#isDisposed) this.#line.giveBack(entry, 'closed', 'the pool is closing');
    this.#pump();
  }

  #pump(): void {
    for (let entry = this.#line.first; entry !== null; entry = this.#line.first) {
      const connection = this.#roomiest(entry.refusedBy);
      if (connection === null) break;
      if (!isInTime(entry.options)) {
        this.#line.giveBack(entry, 'expired', 'no room in time');
        continue;
      }
      this.#line.remove(entry);
      this.#post(entry, connection);
    }
    if (this.#line.size > 0) this.#grow();
  }

  /** The connection that has refused a request gets it again only if no other one has room. */
  #roomiest(refusedBy: number | null): Connection | null {
    let best: Connection | null = null;
    let room = 0;
    for (const connection of this.#connections) {
      const { id, room: own } = connection;
      const here = id === refusedBy ? Math.min(own, LAST_RESORT) : own;
      if (here > room) [best, room] = [connection, here];
    }
    return best;
  }

  #post(entry: WaitingRequest, connection: Connection): void {
    const { request, options, resolve } = entry;
    connection.post(request, options, (result) => {
      if (result.kind === 'refused') return this.#resend(entry, connection);
      if (result.kind === 'answer' && this.#failures > 0) this.#onAnswer(connection);
      resolve(result);
    });
  }

  #resend(entry: WaitingRequest, connection: Connection): void {
    entry.resends += 1;
    entry.refusedBy = connection.id;
    if (entry.resends <= MAX_RESENDS) return this.#enqueue(entry);
    entry.resolve({ kind: 'not_started', cause: 'refused', detail: 'by the peer, repeatedly' });
  }

  #grow(): void {
    let usable = 0;
    for (const { state, isFlushing } of this.#connections) {
      if (state === 'connecting' || (state === 'open' && isFlushing)) return;
      if (state === 'open') usable += 1;
    }
    if (usable >= this.#options.maxConnections) return;
    if (performance.now() < this.#connectNotBefore) {
      // Somebody else may still make room; without a connection, waiting would only hide the
      // outage.
      if (usable === 0) this.#line.giveAllBack('connect_failed', this.#failure);
      return;
    }
    const connection = new Connection(this.#options, openTlsSocket, () =>
      this.#onChange(connection),
    );
    this.#connections.add(connection);
  }

  #onChange(connection: Connection): void {
    const isGone = connection.state === 'closed' && this.#connections.delete(connection);
    if (isGone && connection.isFruitless) this.#onFailure(connection);
    this.#pump();
  }

  #onFailure({ everOpen, failure }: Connection): void {
    this.#failures += 1;
    this.#failedAt = performance.now();
    this.#failure = failure;
    const isFirst = everOpen && this.#failures === 1;
    this.#connectNotBefore = isFirst ? 0 : this.#failedAt + pauseMs(this.#failures);
  }

  /** What an older connection answers says nothing about whether one can be made. */
  #onAnswer(connection: Connection): void {
    if (performance.now() - connection.ageMs > this.#failedAt) this.#failures = 0;
  }
}

function isInTime({ signal, startBefore }: Http2RequestOptions): boolean {
  return !signal.aborted && startBefore > performance.now() + LEAST_LEFT_MS;
}

function pauseMs(failures: number): number {
  const ceiling = Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MAX_PAUSE_MS);
  return ceiling * (0.5 + Math.random() / 2);
}
