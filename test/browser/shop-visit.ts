import type { PushStatus } from '@homing/client/core';
import type { Tab } from './tab.ts';

/** A notification that the browser shows. */
export interface Shown {
  readonly title: string;
  readonly body: string;
  readonly tag: string;
}

/** A tab with the shop in it; each method is what a person or the page does there. */
export class ShopVisit {
  readonly tab: Tab;

  constructor(tab: Tab) {
    this.tab = tab;
  }

  /** Asks for notifications, which are granted; resolves to the permission. */
  subscribe(): Promise<string> {
    return this.#call('subscribe');
  }

  unsubscribe(): Promise<void> {
    return this.#call('unsubscribe');
  }

  /** Signs in, whoever was signed in before; resolves when it is durable in the browser. */
  login(user: string): Promise<void> {
    return this.#call('login', user);
  }

  logout(): Promise<void> {
    return this.#call('logout');
  }

  /** Resolves when the server has acknowledged that these are signed in, and no others. */
  registered(...users: readonly string[]): Promise<void> {
    return this.#call('acknowledged', { users });
  }

  /** Resolves when the server has acknowledged that there is a subscription. */
  subscribed(): Promise<void> {
    return this.#call('acknowledged', { token: 'present' });
  }

  status(): Promise<PushStatus> {
    return this.#call('status');
  }

  /** What the browser shows of this site, whichever tab or worker put it there. */
  shown(): Promise<readonly Shown[]> {
    return this.#call('shown');
  }

  /** Remembers one of them, for `showKept`. */
  keepShown(): Promise<void> {
    return this.#call('keepShown');
  }

  /** Puts it on the screen again, as it was. */
  showKept(): Promise<void> {
    return this.#call('showKept');
  }

  /** Subscribes so many times at once, and then goes back and forth so many times. */
  runAway(atOnce: number, again: number): Promise<void> {
    return this.#call('runAway', atOnce, again);
  }

  /** Loads the page anew. */
  async reload(url: string): Promise<void> {
    await this.tab.navigate(url);
    await this.status();
  }

  async #call<T>(name: string, ...parameters: readonly unknown[]): Promise<T> {
    const call = `shop.${name}(...${JSON.stringify(parameters)})`;
    const text = await this.tab.evaluate(
      `globalThis.shop.then(async (shop) => JSON.stringify((await ${call}) ?? null))`,
    );
    return JSON.parse(text) as T;
  }
}
