import { Pool } from 'undici';
import type { AnswerBody } from '../answer.ts';

/** What model tests look at in an answer. */
export interface DoorAnswer {
  readonly status: number;
  readonly body: AnswerBody;
  /** The header `Homing-Seq` of a logout. */
  readonly seq: number | null;
}

/** Enough to keep one server busy; more would only wait inside it. */
const CONNECTIONS = 48;

/**
 * The API over real connections, at the pace that a hundred thousand histories need: `fetch` costs
 * several times as much as the request itself.
 */
export class Door implements AsyncDisposable {
  readonly #pool: Pool;

  constructor(url: string) {
    this.#pool = new Pool(url, { connections: CONNECTIONS });
  }

  async request(
    method: 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: unknown,
  ): Promise<DoorAnswer> {
    const answer = await this.#pool.request({
      method,
      path,
      headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    const seq = answer.headers['homing-seq'];
    return {
      status: answer.statusCode,
      body: (text === '' ? {} : JSON.parse(text)) as AnswerBody,
      seq: typeof seq === 'string' ? Number(seq) : null,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }
}
