import { createEngine } from '../core/create-engine.ts';
import type { Engine } from '../core/engine.ts';
import type { Lane } from '../core/lane.ts';
import { createBrowserPlatform, type BrowserPlatformParts } from './browser-platform.ts';
import { createBrowserPorts } from './browser-ports.ts';
import { createFetchTransport } from './fetch-transport.ts';
import { SDK_VERSION } from './sdk-version.ts';

/** What a page and a worker do not have in common. */
export interface BrowserParts extends BrowserPlatformParts {
  /** What this context tells the server. */
  readonly lanes: readonly Lane[];
}

export function createBrowserEngine(parts: BrowserParts): Engine {
  const { settings, channel, lanes } = parts;
  const transport = createFetchTransport(settings.baseUrl);
  const ports = createBrowserPorts(createBrowserPlatform(parts, transport), transport, channel);
  return createEngine({ ...settings, sdkVersion: SDK_VERSION }, ports, lanes);
}
