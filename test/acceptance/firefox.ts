import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BidiSession } from './bidi-session.ts';

const PROGRAM = '/usr/bin/firefox-esr';
const DEADLINE_MS = 60_000;
const LISTENING = /WebDriver BiDi listening on (ws:\/\/\S+)/;

/** Why a test that needs a Firefox cannot run here; false when it can. */
export const WHY_NO_FIREFOX: string | false = existsSync(PROGRAM)
  ? false
  : 'no Firefox: apt-get install --no-install-recommends firefox-esr';

/**
 * Starts a headless Firefox with a profile of its own that asks this push service for messages, and
 * lets every page notify. It reaches nothing but this machine.
 */
export async function startFirefox(pushServerUrl: string): Promise<BidiSession> {
  await using stack = new AsyncDisposableStack();
  const profile = await mkdtemp(join(tmpdir(), 'homing-firefox-'));
  stack.defer(() => rm(profile, { recursive: true, force: true, maxRetries: 10 }));
  await writeFile(join(profile, 'user.js'), preferencesFor(pushServerUrl));
  const argv = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
  const child = spawn(PROGRAM, argv, {
    // Anything under the home of whoever runs the test is none of this browser's business.
    env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  stack.defer(async () => {
    const deadline = setTimeout(() => child.kill('SIGKILL'), DEADLINE_MS);
    await ended;
    clearTimeout(deadline);
  });
  const session = await openSession(child.stderr, stack).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  const owned = stack.move();
  return Object.assign(session, { [Symbol.asyncDispose]: () => owned.disposeAsync() });
}

async function openSession(
  output: NodeJS.ReadableStream,
  stack: AsyncDisposableStack,
): Promise<BidiSession> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const lines = createInterface({ input: output });
  lines.on('line', (line) => {
    const url = LISTENING.exec(line)?.[1];
    if (url !== undefined) resolve(url);
  });
  lines.on('close', () => reject(new Error('Firefox has ended.')));
  const deadline = setTimeout(() => reject(new Error('Firefox took too long.')), DEADLINE_MS);
  try {
    return stack.use(await BidiSession.open(await promise));
  } finally {
    clearTimeout(deadline);
  }
}

function preferencesFor(pushServerUrl: string): string {
  const preferences = {
    'dom.push.serverURL': pushServerUrl,
    'dom.push.testing.allowInsecureServerURL': true,
    // Remote control switches it off.
    'dom.push.connection.enabled': true,
    'permissions.default.desktop-notification': 1,
    'alerts.useSystemBackend': false,
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
