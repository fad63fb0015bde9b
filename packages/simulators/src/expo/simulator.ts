import type { TlsIdentity } from '../certificate-authority.ts';
import type { Connection } from '../connection.ts';
import type { DeviceBook } from '../device-book.ts';
import { Faults } from '../faults.ts';
import { createJournal } from '../journal.ts';
import type { Journal } from '../journal.ts';
import { startListener } from '../listener.ts';
import { Reception } from '../reception.ts';
import type { ExpoDeviceState } from './device-states.ts';
import type { ExpoKnobs } from './knobs.ts';
import { ExpoService } from './service.ts';
import type { ExpoServiceOptions } from './service.ts';

export interface ExpoSimulatorOptions extends ExpoServiceOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tls: TlsIdentity;
  /** Milliseconds since the epoch; receipts go by it. */
  readonly clock?: () => number;
  readonly journal?: Journal;
}

export interface ExpoSimulator extends AsyncDisposable {
  readonly provider: 'expo';
  readonly url: string;
  /** By push token, `ExponentPushToken[…]`. */
  readonly devices: DeviceBook<ExpoDeviceState>;
  readonly faults: Faults;
  /** An entry for each push of a request that was carried out, and one for every other request. */
  readonly journal: Journal;
  readonly knobs: ExpoKnobs;
  /** Living connections, oldest first. */
  readonly connections: readonly Connection[];
  /** Lets somebody else send for the project. */
  addAccessToken(accessToken: string): void;
}

const MAX_CONCURRENT_STREAMS = 100;

/** Starts a simulator of the Expo push service, over HTTP/2 and HTTP/1.1. */
export async function startExpoSimulator(options: ExpoSimulatorOptions): Promise<ExpoSimulator> {
  const clock = options.clock ?? Date.now;
  const journal = options.journal ?? createJournal();
  const faults = new Faults();
  const service = new ExpoService(options, clock);
  const reception = new Reception({ service, faults, journal, clock });
  const listener = await startListener({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls,
    clientCa: null,
    protocols: ['h2', 'http/1.1'],
    maxConcurrentStreams: MAX_CONCURRENT_STREAMS,
    onConnection: () => undefined,
    onExchange: (exchange) => void reception.receive(exchange),
  });
  return {
    provider: 'expo',
    url: listener.url,
    devices: service.devices,
    faults,
    journal,
    knobs: service.knobs,
    get connections() {
      return listener.connections;
    },
    addAccessToken: (accessToken) => service.addAccessToken(accessToken),
    async [Symbol.asyncDispose]() {
      reception.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}
