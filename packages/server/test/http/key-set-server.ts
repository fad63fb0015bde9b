import { once } from 'node:events';
import type { OutgoingHttpHeaders } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';

export interface KeySetReply {
  readonly status?: number;
  readonly headers?: OutgoingHttpHeaders;
  readonly body: string;
}

/** Where an app publishes its keys; begins to speak TLS when it is given a certificate. */
export class KeySetServer implements AsyncDisposable {
  readonly #server: Server;
  #reply: KeySetReply | 'reset' = { body: '{"keys":[]}' };
  #requests = 0;

  constructor() {
    this.#server = createServer((_request, response) => {
      this.#requests += 1;
      if (this.#reply === 'reset') {
        response.destroy();
        return;
      }
      const { status = 200, headers = {}, body } = this.#reply;
      response.writeHead(status, headers).end(body);
    });
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  certify(certificate: { readonly keyPem: string; readonly certificatePem: string }): void {
    this.#server.setSecureContext({
      key: certificate.keyPem,
      cert: certificate.certificatePem,
    });
  }

  /** `name:port`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `https://${this.host}/jwks.json`;
  }

  /** Requests since it was asked last. */
  takeRequests(): number {
    const requests = this.#requests;
    this.#requests = 0;
    return requests;
  }

  /** From now on the answer to every request; `reset` closes the connection without one. */
  reply(reply: KeySetReply | 'reset'): void {
    this.#reply = reply;
  }

  publish(keys: readonly object[], headers: OutgoingHttpHeaders = {}): void {
    this.reply({ headers, body: JSON.stringify({ keys }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
