import assert from 'node:assert/strict';
import { Pool } from 'undici';

/** What is asked of the API, with whose key. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** How a notification stands. */
export interface NotificationReport {
  readonly id: string;
  readonly status: string;
  readonly created_at: string;
  readonly finished_at: string | null;
  readonly counts: Readonly<Record<string, number | null>>;
}

/** The back end and the phones of a benchmark, on connections that are kept. */
export class ApiClient implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #secretKey: string;

  constructor(url: string, secretKey: string) {
    this.#pool = new Pool(url, { connections: 64 });
    this.#secretKey = secretKey;
  }

  /** Sends a notification and returns its id; throws when it is not accepted. */
  async notify(input: object): Promise<string> {
    const request = { method: 'POST', path: '/v1/notifications', body: input } as const;
    const { id } = (await this.ask(request, 202)) as { readonly id: string };
    return id;
  }

  async report(id: string): Promise<NotificationReport> {
    const request = { method: 'GET', path: `/v1/notifications/${id}` } as const;
    return (await this.ask(request, 200)) as NotificationReport;
  }

  /** Stops a notification; what is left of it is skipped. */
  async cancel(id: string): Promise<void> {
    await this.ask({ method: 'POST', path: `/v1/notifications/${id}/cancel` }, 200);
  }

  /** Throws unless the answer has the expected status. Null for an answer without a body. */
  async ask({ method, path, headers, body }: ApiRequest, expected: number): Promise<unknown> {
    const answer = await this.#pool.request({
      method,
      path,
      headers: {
        authorization: `Bearer ${this.#secretKey}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    assert.equal(answer.statusCode, expected, `${method} ${path}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#pool.close();
  }
}
