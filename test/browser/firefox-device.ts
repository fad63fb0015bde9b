import assert from 'node:assert/strict';
import type { BidiSession, Json } from './bidi-session.ts';
import type { Tab } from './tab.ts';

/** What a person has said about a site's notifications. */
export type Answered = 'granted' | 'denied' | 'prompt';

/**
 * A user context of Firefox: cookies, storage, workers and subscriptions of its own, so that to a
 * push service and to a site it is a browser on another device.
 */
export class FirefoxDevice implements AsyncDisposable {
  readonly #session: BidiSession;
  readonly #userContext: string;

  constructor(session: BidiSession, userContext: string) {
    this.#session = session;
    this.#userContext = userContext;
  }

  async answerNotificationPrompt(origin: string, state: Answered): Promise<void> {
    await this.#session.command('permissions.setPermission', {
      descriptor: { name: 'notifications' },
      state,
      origin,
      userContext: this.#userContext,
    });
  }

  /** Opens a tab at a page whose site may notify. */
  async open(url: string): Promise<Tab> {
    await this.answerNotificationPrompt(new URL(url).origin, 'granted');
    const { context } = await this.#session.command('browsingContext.create', {
      type: 'tab',
      userContext: this.#userContext,
    });
    assert(typeof context === 'string');
    const tab = firefoxTab(this.#session, context);
    await tab.navigate(url);
    return tab;
  }

  /** The addresses of the tabs that are open. */
  async addresses(): Promise<readonly string[]> {
    const { contexts } = await this.#session.command('browsingContext.getTree', { maxDepth: 0 });
    const tabs = contexts as readonly { readonly url: string; readonly userContext: string }[];
    return tabs.filter((tab) => tab.userContext === this.#userContext).map((tab) => tab.url);
  }

  /** Closes its tabs and forgets everything, which ends its subscriptions. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.command('browser.removeUserContext', { userContext: this.#userContext });
  }
}

function firefoxTab(session: BidiSession, context: string): Tab {
  return {
    async navigate(url) {
      await session.command('browsingContext.navigate', { context, url, wait: 'complete' });
    },
    evaluate: (expression) => evaluateIn(session, context, expression),
    async close() {
      await session.command('browsingContext.close', { context });
    },
  };
}

/** Evaluates in a tab or, where `context` is of that scope, in a window of the browser's own. */
export async function evaluateIn(
  session: BidiSession,
  context: string,
  expression: string,
): Promise<string> {
  const answer = await session.command('script.evaluate', {
    expression,
    target: { context },
    awaitPromise: true,
    userActivation: true,
  });
  const { value } = (answer['result'] ?? {}) as Json;
  assert(typeof value === 'string', JSON.stringify(answer));
  return value;
}
