import { once } from 'node:events';

export type Json = Readonly<Record<string, unknown>>;

interface Reply {
  readonly id: number;
  readonly type: 'success' | 'error';
  readonly result?: Json;
  readonly message?: string;
}

interface Waiter {
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

const DEADLINE_MS = 30_000;

/** A WebDriver BiDi session (W3C), by which a test drives Firefox. */
export class BidiSession implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #waiters = new Map<number, Waiter>();
  readonly #closed: Promise<unknown>;
  #lastId = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    this.#closed = once(socket, 'close');
    socket.addEventListener('message', ({ data }) => this.#hear(JSON.parse(String(data)) as Reply));
    socket.addEventListener('close', () => this.#fail(new Error('The browser has gone.')));
  }

  /** Opens the session of a browser whose remote agent listens at this address. */
  static async open(url: string): Promise<BidiSession> {
    const socket = new WebSocket(`${url}/session`);
    await once(socket, 'open', { signal: AbortSignal.timeout(DEADLINE_MS) });
    const session = new BidiSession(socket);
    await session.command('session.new', { capabilities: {} });
    return session;
  }

  /** Resolves to the command's result; rejects with what the browser says is wrong. */
  async command(method: string, params: Json): Promise<Json> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    this.#waiters.set(id, { resolve, reject });
    const deadline = setTimeout(() => reject(new Error(`${method} took too long.`)), DEADLINE_MS);
    this.#socket.send(JSON.stringify({ id, method, params }));
    try {
      return await promise;
    } finally {
      clearTimeout(deadline);
      this.#waiters.delete(id);
    }
  }

  /** Resolves when the browser has gone, whoever ended it. */
  async closed(): Promise<void> {
    await this.#closed;
  }

  /** Ends the browser, which ends the session. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    await this.command('browser.close', {});
    await this.#closed;
  }

  #hear({ id, type, result = {}, message }: Reply): void {
    const waiter = this.#waiters.get(id);
    if (type === 'success') waiter?.resolve(result);
    else waiter?.reject(new Error(message));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiters.values()) reject(error);
  }
}
