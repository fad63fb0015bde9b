import assert from 'node:assert/strict';
import { request, type Answer, type AnswerBody } from './answer.ts';
import type { Route } from './device.ts';

/** The customer's back end: speaks with the secret key. */
export class BackEnd {
  readonly #route: Route;
  readonly #secretKey: string;

  constructor(route: Route | string, secretKey: string) {
    this.#route = typeof route === 'string' ? () => route : route;
    this.#secretKey = secretKey;
  }

  async request(
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    return request(`${this.#route()}${path}`, {
      method,
      body,
      headers: { authorization: `Bearer ${this.#secretKey}`, ...headers },
    });
  }

  get(path: string): Promise<Answer> {
    return this.request('GET', path);
  }

  /** Sends to users and returns the notification's id; anything but 202 fails the test. */
  async sendToUsers(
    users: readonly string[],
    content: unknown = { title: 'Your order has shipped', body: 'Parcel 12345 is on its way' },
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    return this.send({ audience: { users }, content, ...more });
  }

  async send(body: unknown): Promise<string> {
    const answer = await this.request('POST', '/v1/notifications', body);
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    return answer.body['id'] as unknown as string;
  }

  async report(notificationId: string): Promise<AnswerBody> {
    const answer = await this.get(`/v1/notifications/${notificationId}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  }

  async deliveries(notificationId: string): Promise<readonly AnswerBody[]> {
    const answer = await this.get(`/v1/notifications/${notificationId}/deliveries`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body as unknown as readonly AnswerBody[];
  }

  async installation(installationId: string): Promise<AnswerBody> {
    const answer = await this.get(`/v1/installations/${installationId}`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    return answer.body;
  }

  /** The sentences of an installation's timeline, oldest first. */
  async timeline(installationId: string): Promise<readonly string[]> {
    const answer = await this.get(`/v1/installations/${installationId}/timeline`);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    const lines = answer.body['data'] as unknown as readonly { readonly sentence: string }[];
    return lines.map((line) => line.sentence);
  }
}
