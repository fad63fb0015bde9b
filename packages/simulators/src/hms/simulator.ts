import type { TlsIdentity } from '../certificate-authority.ts';
import type { Connection } from '../connection.ts';
import type { DeviceBook } from '../device-book.ts';
import { Faults } from '../faults.ts';
import { createJournal } from '../journal.ts';
import type { Journal } from '../journal.ts';
import { startListener } from '../listener.ts';
import { Reception } from '../reception.ts';
import type { HmsApp } from './app.ts';
import type { HmsDeviceState } from './device-states.ts';
import type { HmsKnobs } from './knobs.ts';
import { HMS_TOKEN_PATH, HmsService } from './service.ts';
import type { HmsServiceOptions } from './service.ts';

export interface HmsSimulatorOptions extends HmsServiceOptions {
  readonly host?: string;
  readonly port?: number;
  readonly tls: TlsIdentity;
  /** Milliseconds since the epoch. */
  readonly clock?: () => number;
  readonly journal?: Journal;
}

export interface HmsSimulator extends AsyncDisposable {
  readonly provider: 'hms';
  readonly url: string;
  /** Where OAuth clients get their access tokens. */
  readonly tokenUrl: string;
  readonly devices: DeviceBook<HmsDeviceState>;
  readonly faults: Faults;
  readonly journal: Journal;
  readonly knobs: HmsKnobs;
  /** Living connections, oldest first. */
  readonly connections: readonly Connection[];
  /** Makes every access token invalid that has been issued so far. */
  revokeTokens(): void;
  /** Adds an app, or another credential of a known one. */
  addApp(app: HmsApp): void;
}

/** Starts a simulator of Huawei's Push Kit and of its OAuth server, over HTTP/1.1 on one port. */
export async function startHmsSimulator(options: HmsSimulatorOptions): Promise<HmsSimulator> {
  const clock = options.clock ?? Date.now;
  const journal = options.journal ?? createJournal();
  const faults = new Faults();
  const service = new HmsService(options, clock);
  const reception = new Reception({ service, faults, journal, clock });
  const listener = await startListener({
    host: options.host ?? '127.0.0.1',
    port: options.port ?? 0,
    tls: options.tls,
    clientCa: null,
    protocols: ['http/1.1'],
    maxConcurrentStreams: 1,
    onConnection: () => undefined,
    onExchange: (exchange) => void reception.receive(exchange),
  });
  return {
    provider: 'hms',
    url: listener.url,
    tokenUrl: listener.url + HMS_TOKEN_PATH,
    devices: service.devices,
    faults,
    journal,
    knobs: service.knobs,
    get connections() {
      return listener.connections;
    },
    revokeTokens: () => service.tokens.revokeAll(),
    addApp: (app) => service.addApp(app),
    async [Symbol.asyncDispose]() {
      reception.close();
      await listener[Symbol.asyncDispose]();
    },
  };
}
