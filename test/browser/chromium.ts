import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { Readable, Writable } from 'node:stream';
import { ownDirectory, startBrowserProcess, untilReady } from './browser-process.ts';
import { CdpSession } from './cdp-session.ts';
import { ChromiumTab } from './chromium-tab.ts';

const PROGRAM = '/usr/bin/chromium';

/** Why a test that needs a Chromium cannot run here; false when it can. */
export const WHY_NO_CHROMIUM: string | false = existsSync(PROGRAM)
  ? false
  : 'no Chromium: apt-get install --no-install-recommends chromium';

/**
 * Starts a headless Chromium with a profile of its own, whose notifications go to the desktop that
 * listens at this D-Bus address. It reaches nothing but this machine.
 */
export async function startChromium(busAddress: string): Promise<Chromium> {
  await using stack = new AsyncDisposableStack();
  const profile = await ownDirectory(stack, 'homing-chromium-');
  const child = startBrowserProcess(stack, {
    program: PROGRAM,
    argv: [...FLAGS, `--user-data-dir=${profile}`],
    profile,
    environment: { DBUS_SESSION_BUS_ADDRESS: busAddress },
    pipes: ['ignore', 'pipe', 'pipe'],
  });
  const [, , , input, output] = child.stdio;
  assert(input instanceof Writable && output instanceof Readable);
  const session = new CdpSession(input, output);
  await untilReady(child, session.command('Browser.getVersion'));
  stack.defer(async () => {
    const closed = once(output, 'close');
    await session.command('Browser.close');
    await closed;
  });
  return new Chromium(session, stack.move());
}

/** A running Chromium. */
export class Chromium implements AsyncDisposable {
  readonly #session: CdpSession;
  readonly #resources: AsyncDisposableStack;

  constructor(session: CdpSession, resources: AsyncDisposableStack) {
    this.#session = session;
    this.#resources = resources;
  }

  /** Opens a tab at a page whose site may notify. */
  async open(url: string): Promise<ChromiumTab> {
    const { origin } = new URL(url);
    await this.#session.command('Browser.grantPermissions', {
      origin,
      permissions: ['notifications'],
    });
    const tab = await ChromiumTab.open(this.#session);
    await tab.navigate(url);
    return tab;
  }

  /** The addresses of the tabs that are open. */
  async addresses(): Promise<readonly string[]> {
    const targets = await this.#targets();
    return targets.filter(({ type }) => type === 'page').map(({ url }) => url);
  }

  /** Runs an expression in the worker of a script, which must be running. */
  async evaluateInWorker(scriptUrl: string, expression: string): Promise<void> {
    const worker = (await this.#targets()).find(
      ({ type, url }) => type === 'service_worker' && url === scriptUrl,
    );
    assert(worker !== undefined, `No worker of ${scriptUrl} is running.`);
    const { targetId } = worker;
    const attach = { targetId, flatten: true };
    const { sessionId } = await this.#session.command('Target.attachToTarget', attach);
    await this.#session.command('Runtime.evaluate', { expression }, String(sessionId));
    // A worker that is debugged is never stopped.
    await this.#session.command('Target.detachFromTarget', { sessionId });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  async #targets(): Promise<readonly Target[]> {
    const { targetInfos } = await this.#session.command('Target.getTargets');
    return targetInfos as readonly Target[];
  }
}

/** What CDP can attach to. */
interface Target {
  readonly targetId: string;
  readonly type: string;
  readonly url: string;
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  // Nobody listens there, which keeps it off the internet; this machine is reached without.
  '--proxy-server=http://127.0.0.1:9',
  '--remote-debugging-pipe',
] as const;
