import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BidiSession } from './bidi-session.ts';
import { ownDirectory, startBrowserProcess, untilReady } from './browser-process.ts';
import { evaluateIn, FirefoxDevice } from './firefox-device.ts';

const PROGRAM = '/usr/bin/firefox-esr';
const LISTENING = /WebDriver BiDi listening on (ws:\/\/\S+)/;
const ALERT_WINDOW = 'chrome://global/content/alerts/alert.xhtml';
const CHROME_SCOPE = { 'moz:scope': 'chrome' };

/** Why a test that needs a Firefox cannot run here; false when it can. */
export const WHY_NO_FIREFOX: string | false = existsSync(PROGRAM)
  ? false
  : 'no Firefox: apt-get install --no-install-recommends firefox-esr';

/**
 * Starts a headless Firefox that asks this push service for messages. It reaches nothing but this
 * machine. A profile that is given is the caller's; otherwise there is a fresh one, which goes with
 * the browser.
 */
export async function startFirefox(pushServerUrl: string, given?: string): Promise<Firefox> {
  await using stack = new AsyncDisposableStack();
  const profile = given ?? (await ownDirectory(stack, 'homing-firefox-'));
  await writeFile(join(profile, 'user.js'), preferencesFor(pushServerUrl));
  // System access is what the alert windows are clicked by.
  const remote = ['--remote-debugging-port', '0', '--remote-allow-system-access'];
  const child = startBrowserProcess(stack, {
    program: PROGRAM,
    argv: ['--headless', '--no-remote', '--profile', profile, ...remote],
    profile,
    environment: { MOZ_CRASHREPORTER_DISABLE: '1' },
    pipes: ['pipe'],
  });
  assert(child.stderr !== null);
  const session = await untilReady(child, openSession(child.stderr));
  stack.use(session);
  return new Firefox(session, child, stack.move());
}

/** A running Firefox. */
export class Firefox implements AsyncDisposable {
  readonly #session: BidiSession;
  readonly #child: ChildProcess;
  readonly #resources: AsyncDisposableStack;

  constructor(session: BidiSession, child: ChildProcess, resources: AsyncDisposableStack) {
    this.#session = session;
    this.#child = child;
    this.#resources = resources;
  }

  /** What is in the profile, and comes back with it. */
  get ownDevice(): FirefoxDevice {
    return new FirefoxDevice(this.#session, 'default');
  }

  async addDevice(): Promise<FirefoxDevice> {
    const { userContext } = await this.#session.command('browser.createUserContext', {});
    assert(typeof userContext === 'string');
    return new FirefoxDevice(this.#session, userContext);
  }

  /** Clicks the notification with this title, as a person would. */
  async clickNotification(title: string): Promise<void> {
    await this.#clickInAlert(title, 'alertBox');
  }

  /** Closes the notification with this title, as a person would. */
  async closeNotification(title: string): Promise<void> {
    await this.#clickInAlert(title, 'alert-close');
  }

  /** Ends it as the lack of power does. */
  async kill(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await Promise.all([ended, this.#session.closed()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async #clickInAlert(title: string, element: string): Promise<void> {
    const titles: string[] = [];
    for (const context of await this.#alertWindows()) {
      const shown = await evaluateIn(this.#session, context, TITLE);
      titles.push(shown);
      if (shown !== title) continue;
      const click = `document.getElementById('${element}').click(), 'done'`;
      await evaluateIn(this.#session, context, click);
      return;
    }
    assert.fail(`No notification is called "${title}"; there are ${JSON.stringify(titles)}.`);
  }

  async #alertWindows(): Promise<readonly string[]> {
    const { contexts } = await this.#session.command('browsingContext.getTree', CHROME_SCOPE);
    const windows = contexts as readonly { readonly context: string; readonly url: string }[];
    return windows.filter(({ url }) => url === ALERT_WINDOW).map(({ context }) => context);
  }
}

const TITLE = `document.getElementById('alertTitleLabel').getAttribute('value') ?? ''`;

/** Resolves never where the browser does not come up. */
async function openSession(output: NodeJS.ReadableStream): Promise<BidiSession> {
  const { promise, resolve } = Promise.withResolvers<string>();
  createInterface({ input: output }).on('line', (line) => {
    const url = LISTENING.exec(line)?.[1];
    if (url !== undefined) resolve(url);
  });
  return BidiSession.open(await promise);
}

function preferencesFor(pushServerUrl: string): string {
  const preferences = {
    'dom.push.serverURL': pushServerUrl,
    'dom.push.testing.allowInsecureServerURL': true,
    // Remote control switches it off.
    'dom.push.connection.enabled': true,
    'alerts.useSystemBackend': false,
    // After a crash it would ask what to do.
    'browser.sessionstore.resume_from_crash': false,
    'toolkit.startup.max_resumed_crashes': -1,
    // Default: five seconds before it comes back.
    'dom.push.retryBaseInterval': 100,
    // A proxy that nobody listens at keeps it off the internet.
    'network.proxy.type': 1,
    'network.proxy.http': '127.0.0.1',
    'network.proxy.http_port': 9,
    'network.proxy.ssl': '127.0.0.1',
    'network.proxy.ssl_port': 9,
    'network.proxy.no_proxies_on': 'localhost, 127.0.0.1',
  };
  return Object.entries(preferences)
    .map(([name, value]) => `user_pref("${name}", ${JSON.stringify(value)});\n`)
    .join('');
}
