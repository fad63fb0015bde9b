import assert from 'node:assert/strict';
import type { CdpSession, Json } from './cdp-session.ts';
import type { Tab } from './tab.ts';

interface EvaluateResult {
  readonly value?: unknown;
  readonly description?: string;
}

const DEADLINE_MS = 30_000;

/** A tab of Chromium, and what CDP can do to the service workers of its site. */
export class ChromiumTab implements Tab {
  readonly #session: CdpSession;
  readonly #targetId: string;
  readonly #sessionId: string;
  /** Registrations by scope. */
  readonly #registrations = new Map<string, string>();

  private constructor(session: CdpSession, targetId: string, sessionId: string) {
    this.#session = session;
    this.#targetId = targetId;
    this.#sessionId = sessionId;
  }

  /** A fresh tab, at no page yet. */
  static async open(session: CdpSession): Promise<ChromiumTab> {
    const { targetId } = await session.command('Target.createTarget', { url: 'about:blank' });
    const attached = await session.command('Target.attachToTarget', { targetId, flatten: true });
    assert(typeof targetId === 'string' && typeof attached['sessionId'] === 'string');
    const tab = new ChromiumTab(session, targetId, attached['sessionId']);
    session.on('ServiceWorker.workerRegistrationUpdated', attached['sessionId'], (event) => {
      tab.#note(event);
    });
    for (const domain of ['Page', 'Runtime', 'ServiceWorker']) {
      await tab.#command(`${domain}.enable`);
    }
    return tab;
  }

  async navigate(url: string): Promise<void> {
    const { promise: loaded, resolve, reject } = Promise.withResolvers<void>();
    const stop = this.#session.on('Page.loadEventFired', this.#sessionId, () => resolve());
    const deadline = setTimeout(() => reject(new Error(`${url} did not load.`)), DEADLINE_MS);
    try {
      const { errorText } = await this.#command('Page.navigate', { url });
      assert.equal(errorText, undefined);
      await loaded;
    } finally {
      clearTimeout(deadline);
      stop();
    }
  }

  async evaluate(expression: string): Promise<string> {
    const answer = await this.#command('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    });
    const { value } = answer['result'] as EvaluateResult;
    assert(typeof value === 'string', JSON.stringify(answer));
    return value;
  }

  /**
   * Hands a push to the worker of a scope, as the browser does with what it has decrypted. CDP does
   * not tell whether there was anybody to take it.
   */
  async deliverPush(scope: string, data: string): Promise<void> {
    const registrationId = this.#registrations.get(scope);
    const known = [...this.#registrations.keys()].join(', ');
    assert(registrationId !== undefined, `No worker at ${scope}, only at: ${known}`);
    const { origin } = new URL(scope);
    await this.#command('ServiceWorker.deliverPushMessage', { origin, registrationId, data });
  }

  /** Ends the workers of all sites, as the browser does when they have nothing to do. */
  async stopWorkers(): Promise<void> {
    await this.#command('ServiceWorker.stopAllWorkers');
  }

  async close(): Promise<void> {
    await this.#session.command('Target.closeTarget', { targetId: this.#targetId });
  }

  #command(method: string, params: Json = {}): Promise<Json> {
    return this.#session.command(method, params, this.#sessionId);
  }

  #note({ registrations }: Json): void {
    const known = registrations as readonly {
      readonly registrationId: string;
      readonly scopeURL: string;
      readonly isDeleted: boolean;
    }[];
    for (const { registrationId, scopeURL, isDeleted } of known) {
      if (isDeleted) this.#registrations.delete(scopeURL);
      else this.#registrations.set(scopeURL, registrationId);
    }
  }
}
