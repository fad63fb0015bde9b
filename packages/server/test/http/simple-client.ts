import { request, type Answer } from '../../../../test/answer.ts';
import type { Network } from '../../../../test/network.ts';
import { nameBasedUuid } from '../../src/domain/uuid.ts';

/** A home-grown client: knows two routes and whatever it sends as its bearer. */
export class SimpleClient {
  readonly #url: string;
  readonly #app: Network['app'];

  constructor(url: string, app: Network['app']) {
    this.#url = url;
    this.#app = app;
  }

  register(body: Readonly<Record<string, unknown>>, bearer?: string): Promise<Answer> {
    return this.#send('POST', '/register-token', body, bearer);
  }

  delete(token: string, bearer?: string): Promise<Answer> {
    return this.#send('DELETE', '/delete-token', { token }, bearer);
  }

  /** The installation that stands for a device of a home-grown client. */
  installationId(deviceId: string): string {
    const hex = this.#app.id.slice('app_'.length);
    const dashed = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
    return nameBasedUuid(dashed, `simple:${deviceId}`);
  }

  #send(method: string, path: string, body: unknown, bearer?: string): Promise<Answer> {
    const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
    return request(this.#url + path, { method, body, headers });
  }
}
