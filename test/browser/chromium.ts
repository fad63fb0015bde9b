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
    const { targetInfos } = await this.#session.command('Target.getTargets');
    const targets = targetInfos as readonly { readonly type: string; readonly url: string }[];
    return targets.filter(({ type }) => type === 'page').map(({ url }) => url);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }
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
