import type { TlsIdentity } from '../certificate-authority.ts';
import type { Connection } from '../connection.ts';
import type { DeviceBook } from '../device-book.ts';
import { Faults } from '../faults.ts';
import { createJournal } from '../journal.ts';
import type { Journal } from '../journal.ts';
import { startListener } from '../listener.ts';
import { Reception } from '../reception.ts';
import { APPLE } from './apple.ts';
import { GOOGLE } from './google.ts';
import type { WebPushKnobs } from './knobs.ts';
import { MOZILLA } from './mozilla.ts';
import type { Personality, PersonalityName } from './personality.ts';
import { WebPushService } from './service.ts';
import type { WebPushServiceOptions } from './service.ts';
import type { SubscriptionRequest } from './subscription.ts';
import type { WebPushSubscriptionState } from './subscription-states.ts';
import { WNS } from './wns.ts';

export interface WebPushSimulatorOptions extends WebPushServiceOptions {
  /** Whose service it is. */
  readonly personality: PersonalityName;
  readonly host?: string;
  readonly port?: number;
  /**
   * With which endpoints begin, and for which VAPID tokens are made. Default: `https://localhost`
   * and the port. A real service's own needs a client that looks its name up elsewhere.
   */
  readonly origin?: string;
  readonly tls: TlsIdentity;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly journal?: Journal;
}

export interface WebPushSimulator extends AsyncDisposable {
  readonly provider: 'webpush';
  readonly personality: PersonalityName;
  /** Where it listens. */
  readonly url: string;
  readonly origin: string;
  /** By endpoint. */
  readonly devices: DeviceBook<WebPushSubscriptionState>;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly knobs: WebPushKnobs;
  /** Living connections, oldest first. */
  readonly connections: readonly Connection[];
  /** Makes a subscription and returns its endpoint. */
  subscribe(request: SubscriptionRequest): string;
  /** From now on pushes to this endpoint are answered as gone. */
  unsubscribe(endpoint: string): void;
}

const PERSONALITIES = {
  google: GOOGLE,
  mozilla: MOZILLA,
  apple: APPLE,
  wns: WNS,
} as const satisfies Record<PersonalityName, Personality>;

const MAX_CONCURRENT_STREAMS = 100;

/** Starts a simulator of one browser vendor's Web Push service, over TLS. */
export async function startWebPushSimulator(
  options: WebPushSimulatorOptions,
): Promise<WebPushSimulator> {
  const clock = options.clock ?? Date.now;
  const journal = options.journal ?? createJournal();
  const faults = new Faults();
  const personality = PERSONALITIES[options.personality];
  const service = new WebPushService(personality, options, clock);
  const reception = new Reception({ service, faults, journal, clock });
  const listener = await startListener({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls,
    clientCa: null,
    protocols: personality.protocols,
    maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
    onConnection: () => undefined,
    onExchange: (exchange) => void reception.receive(exchange),
  });
  service.origin = options.origin ?? `https://localhost:${new URL(listener.url).port}`;
  return {
    provider: 'webpush',
    personality: personality.name,
    url: listener.url,
    origin: service.origin,
    devices: service.devices,
    faults,
    journal,
    knobs: service.knobs,
    get connections() {
      return listener.connections;
    },
    subscribe: (request) => service.subscribe(request),
    unsubscribe: (endpoint) => service.unsubscribe(endpoint),
    async [Symbol.asyncDispose]() {
      reception.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}
