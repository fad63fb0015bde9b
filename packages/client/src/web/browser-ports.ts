import type { Platform, Ports, Transport } from '../core/ports.ts';
import type { ContextChannel } from './context-channel.ts';
import { changeText } from './kept-text.ts';

/** The ports of the client in a browser, the same in a page and in its worker. */
export function createBrowserPorts(
  platform: Platform,
  transport: Transport,
  channel: ContextChannel,
): Ports {
  return {
    platform,
    transport,
    store: {
      update: (change) => changeText('memory', change, () => channel.announce('memory')),
      onChange: (listener) => channel.on('memory', listener),
    },
    time: {
      now: Date.now,
      after(ms, callback) {
        const timer = setTimeout(callback, ms);
        return () => clearTimeout(timer);
      },
    },
    cryptography: {
      randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
      sha256: async (bytes) => new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice())),
    },
    // Web Locks end with the tab or worker that holds them, so that nobody waits for the dead.
    exclusive: (task) => navigator.locks.request('homing', task),
  };
}
