import { EventEmitter } from 'node:events';
import type { Readable, Writable } from 'node:stream';

export type Json = Readonly<Record<string, unknown>>;

/** An answer has an id, an event a method. */
interface Frame {
  readonly id?: number;
  readonly result?: Json;
  readonly error?: { readonly message: string };
  readonly method?: string;
  readonly params?: Json;
  /** The target that it is about; left out where that is the browser itself. */
  readonly sessionId?: string;
}

interface Waiter {
  readonly resolve: (result: Json) => void;
  readonly reject: (error: Error) => void;
}

const DEADLINE_MS = 30_000;

/**
 * Chromium's DevTools protocol over the two pipes of `--remote-debugging-pipe`, on which each frame
 * ends with a zero byte. Commands without a session are for the browser.
 */
export class CdpSession {
  readonly #input: Writable;
  readonly #waiters = new Map<number, Waiter>();
  readonly #events = new EventEmitter();
  #lastId = 0;
  #unread = '';

  constructor(input: Writable, output: Readable) {
    this.#input = input;
    // A browser that has gone breaks the pipe; what waits is told so below.
    input.on('error', () => undefined);
    output.setEncoding('utf8');
    output.on('data', (text: string) => this.#read(text));
    output.on('close', () => this.#fail(new Error('The browser has gone.')));
  }

  /** Resolves to the command's result; rejects with what the browser says is wrong. */
  async command(method: string, params: Json = {}, sessionId?: string): Promise<Json> {
    this.#lastId += 1;
    const id = this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    this.#waiters.set(id, { resolve, reject });
    const deadline = setTimeout(() => reject(new Error(`${method} took too long.`)), DEADLINE_MS);
    this.#input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    try {
      return await promise;
    } finally {
      clearTimeout(deadline);
      this.#waiters.delete(id);
    }
  }

  /** Calls back with each such event of a target, until the result is called. */
  on(method: string, sessionId: string, listener: (params: Json) => void): () => void {
    const name = `${sessionId} ${method}`;
    this.#events.on(name, listener);
    return () => this.#events.off(name, listener);
  }

  #read(text: string): void {
    const frames = (this.#unread + text).split('\0');
    this.#unread = frames.pop() ?? '';
    for (const frame of frames) this.#hear(JSON.parse(frame) as Frame);
  }

  #hear({ id, result = {}, error, method, params = {}, sessionId = '' }: Frame): void {
    if (id === undefined) {
      this.#events.emit(`${sessionId} ${method}`, params);
      return;
    }
    const waiter = this.#waiters.get(id);
    if (error === undefined) waiter?.resolve(result);
    else waiter?.reject(new Error(error.message));
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiters.values()) reject(error);
  }
}
