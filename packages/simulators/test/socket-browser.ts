import assert from 'node:assert/strict';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { PushSocket } from '../src/index.ts';

type Message = Readonly<Record<string, unknown>>;

const DEADLINE_MS = 5000;

/** The part of Firefox that speaks to its push service; acknowledges what it is told to. */
export class SocketBrowser implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #messages: Message[] = [];
  readonly #waiters: ((message: Message) => void)[] = [];
  #uaid = '';

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString('utf8')) as Message;
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#messages.push(message);
      else waiter(message);
    });
  }

  /** Connects, and says nothing yet. */
  static async connect({ url }: PushSocket): Promise<SocketBrowser> {
    const socket = new WebSocket(url, 'push-notification');
    const browser = new SocketBrowser(socket);
    await once(socket, 'open', { signal: AbortSignal.timeout(DEADLINE_MS) });
    return browser;
  }

  /** Connects and says who it is; with a uaid, as one that comes back. */
  static async greet(socket: PushSocket, uaid?: string): Promise<SocketBrowser> {
    const browser = await SocketBrowser.connect(socket);
    const named = uaid === undefined ? {} : { uaid };
    browser.send({ messageType: 'hello', broadcasts: {}, use_webpush: true, ...named });
    const hello = await browser.next();
    assert.deepEqual([hello.messageType, hello.status, hello.use_webpush], ['hello', 200, true]);
    browser.#uaid = String(hello.uaid);
    return browser;
  }

  /** By which the service knows it since its hello. */
  get uaid(): string {
    return this.#uaid;
  }

  send(message: Message | string): void {
    this.#socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  /** The next message that has not been looked at. */
  async next(): Promise<Message> {
    const present = this.#messages.shift();
    if (present !== undefined) return present;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const deadline = setTimeout(() => reject(new Error('Nothing came.')), DEADLINE_MS);
    this.#waiters.push(resolve);
    try {
      return await promise;
    } finally {
      clearTimeout(deadline);
    }
  }

  /** Nothing waits to be looked at once a ping has been answered. */
  async isQuiet(): Promise<boolean> {
    this.send({});
    return Object.keys(await this.next()).length === 0;
  }

  async register(channelId: string, key?: string): Promise<Message> {
    this.send({
      channelID: channelId,
      messageType: 'register',
      ...(key === undefined ? {} : { key: `${key}=` }),
    });
    return this.next();
  }

  acknowledge({ channelID, version }: Message, code = 100): void {
    this.send({ messageType: 'ack', updates: [{ channelID, version, code }] });
  }

  /** The code with which the service closed the connection. */
  async closed(): Promise<number> {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const [code] = (await once(this.#socket, 'close', { signal })) as [number];
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    const closed = once(this.#socket, 'close');
    this.#socket.terminate();
    await closed;
  }
}
