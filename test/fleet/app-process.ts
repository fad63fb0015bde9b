import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { createPushClient } from '../../packages/client/src/core/create-push-client.ts';
import type {
  Cryptography,
  Exclusive,
  Permission,
  Platform,
  Ports,
  Store,
  StoreChange,
  Time,
  Transport,
} from '../../packages/client/src/core/ports.ts';
import type { PushClient } from '../../packages/client/src/core/push-client.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { allowsPushes, type Handset } from './handset.ts';

/** What an app keeps on its phone for its client. */
export interface StoredText {
  text: string | null;
}

export interface AppProcessOptions {
  readonly handset: Handset;
  readonly stored: StoredText;
  readonly transport: Transport;
  /** The app's publishable key. */
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly random: SeededRandom;
  /** Whether the system fails to give a token when it is asked for one. */
  readonly failsToken: () => boolean;
  /** The client did what it never may. */
  readonly onMisuse: (what: string) => void;
}

/**
 * One life of an app, with the real client in it. Killed, it stops within what it is doing: no call
 * that it made is answered, no timer runs out, nothing is written or sent any more. Where a
 * `ClientPhone` serves scenarios, this takes turns before and after everything that the system does
 * for it, so that a kill can come between any two steps.
 */
export class AppProcess {
  readonly client: PushClient;
  readonly #options: AppProcessOptions;
  readonly #death = new AbortController();
  readonly #killed = Promise.withResolvers<null>();
  readonly #timers = new Set<NodeJS.Timeout>();
  /** As the client was told last: it cannot know what a person changed since. */
  #permission: Permission = 'default';
  #tail: Promise<unknown> = Promise.resolve();

  constructor(options: AppProcessOptions) {
    this.#options = options;
    const ports: Ports = {
      platform: this.#platform(),
      store: this.#store(),
      transport: this.#transport(),
      time: this.#time(),
      cryptography: this.#cryptography(),
      exclusive: this.#exclusive(),
    };
    this.client = createPushClient({ key: options.key, sdkVersion: '1.0.0' }, ports);
  }

  get isAlive(): boolean {
    return !this.#death.signal.aborted;
  }

  /** What a call of the client resolves to; null when the app was killed before that. */
  async call<T>(work: (client: PushClient) => Promise<T>): Promise<{ readonly value: T } | null> {
    const called = work(this.client).then((value) => ({ value }));
    return Promise.race([called, this.#killed.promise]);
  }

  /** As the system does it: without a word. */
  kill(): void {
    this.#options.handset.listen(null);
    this.#death.abort();
    for (const timer of this.#timers) clearTimeout(timer);
    this.#killed.resolve(null);
  }

  #platform(): Platform {
    const { handset, failsToken, onMisuse } = this.#options;
    return {
      device: () =>
        this.#answer(() => ({
          platform: 'ios',
          vendor_id: handset.vendorId,
          model: 'iPhone 15',
          app_version: '4.2.0',
        })),
      permission: () => this.#tellPermission(() => handset.permission),
      requestPermission: () => {
        if (this.#permission === 'denied') onMisuse('asked the person again after a denial');
        return this.#tellPermission(() => {
          if (handset.permission === 'default') {
            handset.permission = this.#options.random.chance(0.9) ? 'granted' : 'denied';
          }
          return handset.permission;
        });
      },
      token: () => {
        if (!allowsPushes(this.#permission)) onMisuse('asked for a token without permission');
        return this.#answer(() => {
          if (failsToken()) return { kind: 'failed', code: 'unavailable', detail: 'not now' };
          return { kind: 'token', token: handset.giveToken() };
        });
      },
      onToken: (listener) => {
        handset.listen(listener);
        return () => handset.listen(null);
      },
      dropToken: () => this.#answer(() => handset.dropToken()),
      clearShown: () =>
        this.#answer(() => {
          handset.screen.length = 0;
        }),
    };
  }

  async #tellPermission(work: () => Permission): Promise<Permission> {
    this.#permission = await this.#answer(work);
    return this.#permission;
  }

  #store(): Store {
    const { stored } = this.#options;
    return {
      update: <T>(change: (text: string | null) => StoreChange<T>) =>
        this.#answer(() => {
          const { text, result } = change(stored.text);
          stored.text = text;
          return result;
        }),
      onChange: () => () => undefined,
    };
  }

  #transport(): Transport {
    const { transport } = this.#options;
    return async (request, signal) => {
      const answer = await transport(request, AbortSignal.any([signal, this.#death.signal]));
      return this.isAlive ? answer : never();
    };
  }

  #time(): Time {
    return {
      now: this.#options.now,
      after: (ms, callback) => {
        const timer = setTimeout(() => {
          this.#timers.delete(timer);
          if (this.isAlive) callback();
        }, ms);
        this.#timers.add(timer);
        return () => {
          this.#timers.delete(timer);
          clearTimeout(timer);
        };
      },
    };
  }

  #cryptography(): Cryptography {
    const { random } = this.#options;
    return {
      randomBytes: (count) => Uint8Array.from({ length: count }, () => random.below(256)),
      sha256: (bytes) => this.#answer(() => createHash('sha256').update(bytes).digest()),
    };
  }

  #exclusive(): Exclusive {
    return (task) => {
      const done = this.#tail.then(task);
      this.#tail = done.catch(() => null);
      return done;
    };
  }

  /** Something of the system: before and after it the app may be killed. */
  async #answer<T>(work: () => T): Promise<T> {
    await turn();
    if (!this.isAlive) return never();
    const result = work();
    await turn();
    return this.isAlive ? result : never();
  }
}

/** Nobody waits any more. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}
