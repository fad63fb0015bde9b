import { createUserAgent, type PushSubscriptionJson } from '@homing/simulators';
import type { Network } from '../network.ts';
import type { SiteRoutes } from './site.ts';

/** The subscription of the one browser that visits a shop, which the shop's server makes for it. */
export class StandInSubscription {
  readonly #network: Network;
  readonly #agent = createUserAgent();
  #current: { readonly subscription: PushSubscriptionJson; readonly key: string } | null = null;

  constructor(network: Network) {
    this.#network = network;
  }

  /** What was pushed to it after this entry of the journal, as its browser decrypts it. */
  pushedAfter(entry: number): readonly string[] {
    const { journal } = this.#network;
    return journal
      .entries({ after: entry })
      .filter(({ token, accepted }) => accepted && token === this.endpoint)
      .map(({ body }) => JSON.stringify(body));
  }

  get endpoint(): string | null {
    return this.#current?.subscription.endpoint ?? null;
  }

  /** Its push service drops it, as it does after a long absence. */
  drop(): void {
    if (this.#current !== null) this.#agent.unsubscribe(this.#current.subscription);
    this.#current = null;
  }

  /** What the stand-in's script, with which page and worker begin, asks the site for. */
  get routes(): SiteRoutes {
    return {
      'GET /subscription': () => this.#answer(),
      'POST /subscription': ({ body: key }) => {
        const google = this.#network.webPush.google;
        this.#current ??= { subscription: this.#agent.subscribe(google, key), key };
        return this.#answer();
      },
      'DELETE /subscription': () => {
        this.drop();
        return {};
      },
    };
  }

  #answer() {
    if (this.#current === null) return { status: 204 };
    return { type: 'application/json', body: JSON.stringify(this.#current) };
  }
}
